CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, first_name TEXT, `Last Name` TEXT, active INTEGER, store_id INTEGER);
CREATE TABLE payment (payment_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (customer_id), amount REAL, payment_date DATE);
INSERT INTO customer VALUES (1, 'Mary', 'Smith', 1, 1), (2, 'Pat', 'Jones', 0, 2), (3, 'Lin', 'Wu', 1, 1);
INSERT INTO payment VALUES (1, 1, 2.99, '2005-05-25'), (2, 1, 0.99, '2005-06-15'), (3, 2, 5.99, '2005-06-16'), (4, 3, 9.99, '2006-02-14');
