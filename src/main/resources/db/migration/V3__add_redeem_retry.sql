-- What redeem needs to answer a caller that repeats itself because it got no reply.
-- The fingerprint is a hash of the idempotency key and the code: neither is stored.
ALTER TABLE challenge_session
    ADD COLUMN redeemed_by        text,
    ADD COLUMN redeem_fingerprint bytea,
    ADD CHECK ((state = 'redeemed') = (redeemed_by IS NOT NULL)),
    ADD CHECK (redeem_fingerprint IS NULL OR state = 'redeemed');
