alter table shop.countries add constraint countries_pkey primary key (code);
alter table shop.warehouses
  add constraint warehouses_pkey primary key (id),
  add constraint warehouses_country_fkey foreign key (country) references shop.countries on update cascade;
alter table shop.categories
  add constraint categories_pkey primary key (id),
  add constraint categories_parent_fkey foreign key (parent) references shop.categories
    deferrable initially deferred;
alter table shop.customers
  add constraint customers_pkey primary key (id),
  add constraint customers_email_key unique (email),
  add constraint customers_country_fkey foreign key (country) references shop.countries;
alter table shop.addresses
  add constraint addresses_pkey primary key (id),
  add constraint addresses_customer_fkey foreign key (customer_id) references shop.customers on delete cascade;
alter table shop.products
  add constraint products_pkey primary key (id),
  add constraint products_sku_key unique (sku),
  add constraint products_price_check check (price >= 0 and price < 1000000),
  add constraint products_category_fkey foreign key (category_id) references shop.categories;
alter table shop.inventory
  add constraint inventory_pkey primary key (warehouse_id, product_id),
  add constraint inventory_quantity_check check (quantity >= 0),
  add constraint inventory_warehouse_fkey foreign key (warehouse_id) references shop.warehouses,
  add constraint inventory_product_fkey foreign key (product_id) references shop.products;
alter table shop.orders
  add constraint orders_pkey primary key (id),
  add constraint orders_customer_fkey foreign key (customer_id) references shop.customers;
alter table shop.order_lines
  add constraint order_lines_pkey primary key (order_id, line_no),
  add constraint order_lines_quantity_check check (quantity > 0),
  add constraint order_lines_order_fkey foreign key (order_id) references shop.orders on delete cascade;
alter table shop.payments
  add constraint payments_pkey primary key (id),
  add constraint payments_order_fkey foreign key (order_id) references shop.orders;
alter table shop.reviews
  add constraint reviews_pkey primary key (product_id, customer_id),
  add constraint reviews_rating_check check (rating between 1 and 5),
  add constraint reviews_product_fkey foreign key (product_id) references shop.products,
  add constraint reviews_customer_fkey foreign key (customer_id) references shop.customers;
alter table shop."Gift Cards" add constraint "Gift Cards_pkey" primary key ("Card-No");
alter table shop.returns
  add constraint returns_pkey primary key (id),
  add constraint returns_order_fkey foreign key (order_id) references shop.orders;
alter table audit.events add constraint events_pkey primary key (id);

create index customers_name_idx on shop.customers (lower(name), country);
create index customers_tags_idx on shop.customers using gin (tags);
create index addresses_customer_idx on shop.addresses (customer_id);
create index products_attributes_idx on shop.products using gin (attributes jsonb_path_ops);
create index products_category_idx on shop.products (category_id) include (name);
create index orders_customer_idx on shop.orders (customer_id, placed_at desc nulls last);
create index orders_open_idx on shop.orders (placed_at) where status in ('new', 'paid');
create index order_lines_product_idx on shop.order_lines (product_id);
create index payments_order_idx on shop.payments (order_id);
create index "Gift Cards Größe" on shop."Gift Cards" ("Größe");
create index events_at_idx on audit.events using brin (at);
comment on index shop.orders_open_idx is 'Small, for the warehouse''s screens';
analyze;
