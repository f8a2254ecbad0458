alter table customers
  add unique customers_email (email),
  add index customers_name (name(20), country),
  add constraint customers_country foreign key (country) references countries (code) on update cascade;
alter table products add unique products_sku (sku);
alter table orders
  add index by_status (status, placed_at),
  add constraint orders_customer foreign key (customer_id) references customers (id);
alter table order_lines
  add constraint lines_order foreign key (order_id) references orders (id) on delete cascade,
  add constraint lines_product foreign key (product_id) references products (id);
alter table payments add constraint payments_order foreign key (order_id) references orders (id);
alter table reviews
  add constraint reviews_product foreign key (product_id) references products (id),
  add constraint reviews_customer foreign key (customer_id) references customers (id);
alter table events add index by_status (kind, at);
