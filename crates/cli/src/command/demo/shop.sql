CREATE TABLE customers (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    email VARCHAR,
    country VARCHAR,
    joined_on DATE,
    newsletter BOOLEAN
);
CREATE TABLE products (
    id INTEGER NOT NULL,
    title VARCHAR NOT NULL,
    price DECIMAL(10, 2) NOT NULL,
    weight_kg DOUBLE
);
CREATE TABLE orders (
    id INTEGER NOT NULL,
    customer_id INTEGER NOT NULL,
    placed_at TIMESTAMP NOT NULL,
    shipped_at TIMESTAMP,
    note VARCHAR
);
CREATE TABLE order_items (
    order_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    discount DECIMAL(4, 2)
);
CREATE TABLE "Gift Cards" (
    "Card No." VARCHAR NOT NULL,
    "Value €" DECIMAL(10, 2)
);
CREATE TABLE "archive.2023" (
    "select" INTEGER,
    "the ""old"" total" DECIMAL(12, 2)
);
CREATE TABLE "отзывы 🪢" (
    "оценка" INTEGER,
    "текст" VARCHAR
);
CREATE VIEW customer_totals AS
SELECT customers.id, customers.name, COUNT(orders.id) AS orders
FROM customers
LEFT JOIN orders ON orders.customer_id = customers.id
GROUP BY customers.id, customers.name;
INSERT INTO "Gift Cards" VALUES ('A-1', 25.00), ('B''2', NULL), ('100%', 10.50);
INSERT INTO "archive.2023" VALUES (1, 1999.95), (2, NULL);
INSERT INTO "отзывы 🪢" VALUES (5, 'держит крепко'), (4, 'it''s "fine" {really}'), (NULL, '');
