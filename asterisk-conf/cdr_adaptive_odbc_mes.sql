-- cdr_adaptive_odbc_mes.sql - columns for the scores in the CDR table that cdr_adaptive_odbc writes
--
-- Goes into: the database behind cdr_adaptive_odbc.conf, into the table that it names (here: cdr; FreePBX: asteriskcdrdb.cdr).
-- Then "module reload cdr_adaptive_odbc.so": the module reads the columns when it is loaded, and fills each one that has the
-- name of a CDR variable. Nothing has to be written in cdr_adaptive_odbc.conf.
--
-- DECIMAL(3,2) holds 1.00 to 4.50. NULL is a score that is not known: never take it for 0.

ALTER TABLE cdr ADD COLUMN mes DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_rx DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_tx DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_peer_rx DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_peer_tx DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_call DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_min DECIMAL(3,2) NULL;
ALTER TABLE cdr ADD COLUMN mes_verdict VARCHAR(20) NULL;
-- 1 to 5, what the caller said; only with [ratings].
ALTER TABLE cdr ADD COLUMN mes_rating SMALLINT NULL;
