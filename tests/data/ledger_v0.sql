-- A ledger as version 0 wrote it (before the first release): keys as blobs, no epochs, bodies as they stand.
PRAGMA journal_mode = WAL;
CREATE TABLE intent(id INTEGER PRIMARY KEY, key BLOB NOT NULL, step TEXT, row BLOB, worst_usd REAL NOT NULL);
CREATE TABLE reply(intent INTEGER PRIMARY KEY, key BLOB NOT NULL, body BLOB NOT NULL, prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL NOT NULL);
CREATE INDEX reply_0_key ON reply(key);
INSERT INTO intent VALUES(1, x'00112233445566778899aabbccddeeff', 'ask', x'0102030405060708090a0b0c0d0e0f10', 0.01);
INSERT INTO intent VALUES(2, x'ffeeddccbbaa99887766554433221100', 'ask', x'1112030405060708090a0b0c0d0e0f10', 0.01);
INSERT INTO reply VALUES(1, x'00112233445566778899aabbccddeeff', CAST('{"text":"from the old days"}' AS BLOB), 120, 45, 0.002);
PRAGMA application_id = 1900824369;
PRAGMA user_version = 0;
