-- The demo's online shop as a MySQL or MariaDB database: auto_increment, unsigned numbers, enum and set, zoned and
-- plain times, json, names that need quotes. Secondary indexes and foreign keys come after the rows.
create table countries (
  code char(2) not null primary key,
  name varchar(60) not null,
  vat decimal(5, 4) not null default 0.19
);
create table customers (
  id bigint unsigned not null auto_increment primary key,
  email varchar(120) not null,
  name varchar(100) not null comment 'As on the parcel',
  tier enum('none', 'silver', 'gold', 'it''s platinum') not null default 'none',
  flags set('news', 'beta', 'vip') not null default '',
  country char(2) not null,
  born date,
  biography text,
  balance decimal(14, 4) not null default 0,
  rating double,
  created_at timestamp(6) not null default current_timestamp(6),
  seen_at datetime(3)
) comment 'People who bought something, or might';
create table products (
  id int unsigned not null auto_increment primary key,
  sku varchar(20) not null,
  name varchar(200) not null,
  description longtext,
  price decimal(10, 2) not null,
  weight float,
  attributes json,
  picture mediumblob,
  sold_from time(1),
  model year,
  is_sold tinyint(1) not null default 1,
  updated_at timestamp(3) not null default current_timestamp(3)
);
create table orders (
  id bigint unsigned not null auto_increment primary key,
  customer_id bigint unsigned not null,
  status enum('new', 'paid', 'shipped', 'returned', 'cancelled') not null default 'new',
  placed_at datetime(6) not null default current_timestamp(6),
  total decimal(14, 2) not null default 0,
  note varchar(200)
);
create table order_lines (
  order_id bigint unsigned not null,
  line_no smallint not null,
  product_id int unsigned not null,
  quantity mediumint unsigned not null,
  unit_price decimal(10, 2) not null,
  primary key (order_id, line_no)
);
create table payments (
  id bigint unsigned not null auto_increment primary key,
  order_id bigint unsigned not null,
  method enum('card', 'transfer', 'voucher') not null,
  amount decimal(14, 2) not null,
  reference varbinary(16) not null,
  paid_at timestamp null
);
create table reviews (
  product_id int unsigned not null,
  customer_id bigint unsigned not null,
  rating tinyint not null,
  body text,
  written_on date not null,
  primary key (product_id, customer_id)
);
create table `Gift Cards` (
  `Card-No` bigint not null primary key,
  `select` varchar(100),
  `Größe` decimal(8, 2)
);
create table events (
  id bigint unsigned not null auto_increment primary key,
  at timestamp(6) not null default current_timestamp(6),
  kind varchar(20) not null,
  detail json,
  bits bit(12) not null default b'101'
);
