DROP TABLE sessions;
DROP TABLE tenants;
