-- in order: the first source system, a session's database for generated code: what it allowed, what it blocked.

-- case: papers to work on
-- allowed: create_table
CREATE TABLE papers (pmid TEXT PRIMARY KEY, title TEXT NOT NULL, journal TEXT, year INTEGER CHECK (year BETWEEN 1800 AND 2100), score REAL, authors TEXT DEFAULT '[]', abstract TEXT);

-- case: the same again does nothing
-- allowed: create_table
CREATE TABLE IF NOT EXISTS papers (pmid TEXT PRIMARY KEY)

-- case: one row, bound
-- allowed: insert
-- params: ["31452104", "Sepsis in the ICU", "Critical Care", 2019, 0.91, "[\"Li\", \"Okafor\"]", null]
INSERT INTO papers (pmid, title, journal, year, score, authors, abstract) VALUES (?, ?, ?, ?, ?, ?, ?)

-- case: one row, bound by name
-- allowed: insert
-- params: {"pmid": "28114553", "title": "O'Neill's score; revisited -- twice", "year": 2017}
INSERT INTO papers (pmid, title, year) VALUES (:pmid, :title, :year)

-- case: a text with two blanks and a quote comes back as it was
-- allowed: select
-- params: ["a  b 'c'"]
-- rows: [["a  b 'c'"]]
SELECT ? AS kept

-- case: many rows in one statement
-- allowed: insert
INSERT INTO papers (pmid, title, journal, year, score, authors) VALUES
    ('1', 'Alpha blockers', 'BMJ', 2018, 0.4, '["Ito"]'),
    ('2', 'Beta cells', 'Cell', 2019, 0.7, '["Ito", "Li"]'),
    ('3', 'Gamma knives', 'BMJ', 2019, NULL, '[]');

-- case: filter and order
-- allowed: select
-- rows: [["2"], ["31452104"]]
SELECT pmid FROM papers WHERE year >= 2019 AND score > 0.5 ORDER BY score

-- case: count by a field, NULL not counted
-- allowed: select
-- rows: [["BMJ", 2], ["Cell", 1], ["Critical Care", 1]]
SELECT journal, count(*) AS count FROM papers WHERE journal IS NOT NULL GROUP BY journal HAVING count(*) >= 1 ORDER BY count DESC, journal

-- case: the best two
-- allowed: select
-- rows: [["31452104", 0.91], ["2", 0.7]]
SELECT pmid, score FROM papers ORDER BY score DESC LIMIT 2

-- case: papers by decade
-- allowed: select
-- rows: [["2010s", 5]]
SELECT (year / 10 * 10) || 's' AS decade, count(*) FROM papers GROUP BY 1

-- case: distinct values
-- allowed: select
-- rows: [[2017], [2018], [2019]]
SELECT DISTINCT year FROM papers ORDER BY year

-- case: a share of the whole in real numbers
-- allowed: select
-- rows: [["BMJ", 40.0]]
SELECT journal, round(100.0 * count(*) / (SELECT count(*) FROM papers), 1) AS percent FROM papers WHERE journal = 'BMJ'

-- case: a text search without case
-- allowed: select
-- rows: [["31452104"]]
SELECT pmid FROM papers WHERE title LIKE '%icu%' ESCAPE '\'

-- case: authors of all papers
-- allowed: select
-- rows: [["Ito", 2], ["Li", 2], ["Okafor", 1]]
SELECT a.value AS author, count(*) AS papers FROM papers, json_each(papers.authors) AS a GROUP BY 1 ORDER BY 2 DESC, 1

-- case: an upsert
-- allowed: insert
INSERT INTO papers (pmid, title, score) VALUES ('2', 'Beta cells', 0.75) ON CONFLICT (pmid) DO UPDATE SET score = excluded.score WHERE excluded.score > papers.score

-- case: after the upsert
-- allowed: select
-- rows: [["Cell", 0.75]]
SELECT journal, score FROM papers WHERE pmid = '2'

-- case: ignore what is there
-- allowed: insert
INSERT OR IGNORE INTO papers (pmid, title) VALUES ('2', 'Other'), ('4', 'Delta waves')

-- case: replace
-- allowed: replace
REPLACE INTO papers (pmid, title, year) VALUES ('4', 'Delta waves', 2020)

-- case: update with a subquery
-- allowed: update
UPDATE papers SET score = (SELECT avg(score) FROM papers) WHERE score IS NULL AND year = 2019

-- case: update from another table
-- allowed: update
-- after: CREATE TABLE impact (journal TEXT PRIMARY KEY, factor REAL)
-- after: INSERT INTO impact VALUES ('BMJ', 2.0)
UPDATE papers SET score = round(score * impact.factor, 2) FROM impact WHERE impact.journal = papers.journal

-- case: delete and say what
-- allowed: delete
-- rows: [["4"]]
DELETE FROM papers WHERE year = 2020 RETURNING pmid

-- case: an index
-- allowed: create_index
CREATE INDEX papers_year ON papers (year, score DESC)

-- case: a column more
-- allowed: alter_table
ALTER TABLE papers ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'

-- case: a column by another name
-- allowed: alter_table
ALTER TABLE papers RENAME COLUMN abstract TO summary

-- case: a column less
-- allowed: alter_table
ALTER TABLE papers DROP COLUMN summary

-- case: a table by another name
-- allowed: alter_table
ALTER TABLE impact RENAME TO impact_factors

-- case: an index less
-- allowed: drop_index
DROP INDEX IF EXISTS papers_year

-- case: a result kept as a table
-- allowed: create_table
CREATE TABLE by_year AS SELECT year, count(*) AS papers, avg(score) AS mean FROM papers GROUP BY year

-- case: the plan
-- allowed: explain
EXPLAIN QUERY PLAN SELECT * FROM papers WHERE pmid = '1'

-- case: columns of a table, read from the schema
-- allowed: select
-- rows: [["journal", "TEXT"], ["factor", "REAL"]]
SELECT name, type FROM pragma_table_info('impact_factors') ORDER BY cid

-- case: which tables there are
-- allowed: select
-- rows: [["by_year"], ["impact_factors"], ["papers"]]
SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('papers', 'impact_factors', 'by_year') ORDER BY name

-- case: full text
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE papers_text USING fts5(title, authors)

-- case: full text is filled
-- allowed: insert
INSERT INTO papers_text (rowid, title, authors) SELECT rowid, title, authors FROM papers

-- case: full text is found, the best first
-- allowed: select
-- params: ["sepsis OR knives"]
-- rows: [["Sepsis in the ICU"], ["Gamma knives"]]
SELECT title FROM papers_text WHERE papers_text MATCH ? ORDER BY title DESC

-- case: words of a user that FTS5 takes for syntax
-- error: sql.syntax, running
-- params: ["what's new?"]
-- hint: in MATCH
-- repair: SELECT title FROM papers_text WHERE papers_text MATCH '"what''s new?"'
SELECT title FROM papers_text WHERE papers_text MATCH ?

-- case: a page
-- allowed: select
-- rows: [["2"]]
SELECT pmid FROM papers ORDER BY pmid LIMIT 1 OFFSET 1

-- case: the next page by key, which stays right when rows are added
-- allowed: select
-- params: ["1"]
-- rows: [["2"], ["28114553"]]
SELECT pmid FROM papers WHERE pmid > ? ORDER BY pmid LIMIT 2

-- case: state is readable
-- allowed: select
SELECT key, value, updated_at FROM session_state ORDER BY key

-- case: the log is readable
-- allowed: select
SELECT count(*) >= 0 FROM execution_logs

-- case: state is not written past its helper
-- refused: reserved, authorizer
-- hint: helpers.db.save_state
-- snippet: helpers.db.save_state("step", 2)
INSERT INTO session_state (key, value, updated_at) VALUES ('step', '2', datetime('now'))

-- case: state is not emptied
-- refused: reserved, authorizer
-- hint: helpers.db.delete_state
-- snippet: helpers.db.delete_state("step")
DELETE FROM session_state

-- case: the log is not rewritten
-- refused: reserved, sqlite
-- repair: SELECT count(*) FROM execution_logs
DELETE FROM execution_logs

-- case: a session that others share by attaching
-- refused: attach, keyword
-- hint: helpers.db.batch_insert
-- snippet: helpers.db.batch_insert("papers", [{"pmid": "9", "title": "brought in"}])
ATTACH DATABASE 'default.db' AS shared

-- case: detach
-- refused: attach, keyword
-- hint: leave it out
-- repair: SELECT count(*) FROM papers
DETACH shared

-- case: PRAGMA table_info, which the schema helper of the original needed
-- refused: pragma, keyword
-- hint: pragma_table_info
-- repair: SELECT * FROM pragma_table_info('papers')
-- snippet: assert helpers.schema.get_columns("papers")[0]["name"] == "pmid"
PRAGMA table_info(papers)

-- case: begin
-- refused: transaction, keyword
-- hint: helpers.db.commit()
-- snippet: helpers.db.commit()
BEGIN TRANSACTION

-- case: commit
-- refused: transaction, keyword
-- hint: helpers.db.commit()
-- snippet: helpers.db.commit()
COMMIT

-- case: rollback
-- refused: transaction, keyword
-- hint: raise an error
-- snippet: import contextlib\nwith contextlib.suppress(helpers.Error): helpers.db.batch(["DELETE FROM papers", "INSERT INTO nowhere VALUES (1)"])\nassert helpers.db.value("SELECT count(*) FROM papers") > 0
ROLLBACK

-- case: savepoint
-- refused: transaction, keyword
-- hint: helpers.db.batch
-- snippet: helpers.db.batch([("UPDATE papers SET score = 1 WHERE pmid = ?", ["1"]), "DELETE FROM papers WHERE pmid = '3'"])
SAVEPOINT a

-- case: several statements in one text, which could half apply
-- error: sql.multiple_statements, sqlite
-- hint: helpers.db.script
-- snippet: helpers.db.script("UPDATE papers SET score = 1; DELETE FROM papers WHERE pmid = '3';")
UPDATE papers SET score = 1; DELETE FROM papers WHERE pmid = '3';

-- case: a value pasted into SQL
-- error: sql.syntax, gate
-- repair: SELECT * FROM papers WHERE title = 'O''Neill'
SELECT * FROM papers WHERE title = 'O'Neill'

-- case: a misspelt column
-- error: sql.no_such_column, sqlite
-- hint: did you mean journal
-- repair: SELECT journal FROM papers
SELECT jurnal FROM papers

-- case: a misspelt table
-- error: sql.no_such_table, sqlite
-- hint: did you mean papers
-- repair: SELECT * FROM papers
SELECT * FROM paper

-- case: a text in double quotes
-- error: sql.no_such_column, sqlite
-- hint: single quotes
-- repair: SELECT * FROM papers WHERE journal = 'BMJ'
SELECT * FROM papers WHERE journal = "BMJ"

-- case: drop
-- allowed: drop_table
DROP TABLE IF EXISTS by_year
