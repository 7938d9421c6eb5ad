-- Only in dev and test: the app of the README's examples.
INSERT INTO app (app_id, display_name) VALUES ('demo', 'Demo') ON CONFLICT DO NOTHING;
