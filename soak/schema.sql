-- What the soak writes to beside the demo's shop: each table for one kind of change.
create schema soak;

-- Its number goes up once a second; where it stands on the target is how far behind that is.
create table soak.beat (id int primary key, number bigint not null, at timestamptz not null);
insert into soak.beat values (1, 0, now());

-- Rows that are equal, found by all their columns.
create table soak.keyless (a int, b text, c numeric);
alter table soak.keyless replica identity full;
insert into soak.keyless select i % 100, 'row ' || i % 10, i % 3 from generate_series(1, 2000) i;

-- Values out of line that most updates leave alone.
create table soak.documents (id bigserial primary key, title text not null, body text, n int not null default 0);
alter table soak.documents alter body set storage external;
insert into soak.documents (title, body)
  select 'document ' || i, (select string_agg(md5(i || ' ' || k), '') from generate_series(1, 150) k)
    from generate_series(1, 500) i;

-- Found by an index that is not its primary key.
create table soak.named (id int, name varchar(40) not null, v int);
create unique index named_name on soak.named (name);
alter table soak.named replica identity using index named_name;
insert into soak.named select i, 'name ' || i, 0 from generate_series(1, 500) i;

-- Emptied now and then, with what refers to it.
create table soak.emptied (id serial primary key, v text not null);
create table soak.emptied_part (id serial primary key, emptied_id int not null references soak.emptied);

-- Transactions that are larger than memory.
create table soak.bulk (id bigserial primary key, round int not null, filler text not null);

-- Gets a column now and then.
create table soak.grown (id serial primary key, v text not null);
insert into soak.grown (v) select 'v' || i from generate_series(1, 1000) i;

-- Written by transactions that are prepared first.
create table soak.promised (id serial primary key, v text not null);

-- Nobody writes to it.
create table soak.still (id int primary key, at timestamptz not null, v text);
insert into soak.still select i, now(), repeat('still ', i % 50) from generate_series(1, 5000) i;

create sequence soak.numbers increment by 7;
