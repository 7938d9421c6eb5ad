-- The app of the README's examples. Only in dev and test.
INSERT INTO app (app_id, display_name) VALUES ('demo', 'Demo') ON CONFLICT DO NOTHING;
