/*
 * A film rental's database of our own making, as old applications have them: latin1 beside utf8mb4, unsigned numbers of
 * all sizes, enums and sets, years, blobs, shapes, tables that refer to each other in a circle, indexes of the same name,
 * full text, views, triggers and routines. For MariaDB and for MySQL from 5.7 on.
 */
export const mysqlRentalSchema = `
  create table country (
    country_id smallint unsigned not null auto_increment primary key,
    name varchar(50) not null,
    last_update timestamp not null default current_timestamp on update current_timestamp);
  create table city (
    city_id smallint unsigned not null auto_increment primary key,
    name varchar(50) not null,
    country_id smallint unsigned not null,
    last_update timestamp not null default current_timestamp on update current_timestamp,
    key idx_fk_country_id (country_id),
    constraint fk_city_country foreign key (country_id) references country (country_id) on update cascade);
  create table address (
    address_id smallint unsigned not null auto_increment primary key,
    line varchar(50) not null, line2 varchar(50) default null,
    city_id smallint unsigned not null,
    postal_code varchar(10) default null,
    phone varchar(20) not null default '',
    location geometry not null,
    key idx_fk_city_id (city_id),
    spatial key idx_location (location),
    constraint fk_address_city foreign key (city_id) references city (city_id) on update cascade) engine = InnoDB;
  create table language (
    language_id tinyint unsigned not null auto_increment primary key,
    name char(20) not null comment 'in English') comment = 'Languages of films';
  create table film (
    film_id int unsigned not null auto_increment primary key,
    title varchar(128) not null,
    description text,
    release_year year default null,
    language_id tinyint unsigned not null,
    original_language_id tinyint unsigned default null,
    rental_duration tinyint unsigned not null default 3,
    rental_rate decimal(4, 2) not null default 4.99,
    length smallint unsigned default null,
    replacement_cost decimal(5, 2) not null default '19.99',
    rating enum('G', 'PG', 'PG-13', 'R', 'NC-17') default 'G',
    special_features set('Trailers', 'Commentaries', 'Deleted Scenes', 'Behind the Scenes') default null,
    score float as (rental_rate / replacement_cost) virtual,
    poster mediumblob,
    flags bit(8) not null default b'11',
    last_update timestamp(3) not null default current_timestamp(3) on update current_timestamp(3),
    key idx_title (title(20)),
    key idx_fk_language_id (language_id),
    key idx_fk_original_language_id (original_language_id),
    fulltext key idx_words (title, description),
    constraint fk_film_language foreign key (language_id) references language (language_id) on update cascade,
    constraint fk_film_language_original foreign key (original_language_id) references language (language_id));
  create table actor (
    actor_id bigint unsigned not null auto_increment primary key,
    first_name varchar(45) character set latin1 not null,
    last_name varchar(45) character set latin1 collate latin1_bin not null,
    born date, awake time, seen datetime(6),
    key idx_actor_last_name (last_name));
  create table film_actor (
    actor_id bigint unsigned not null,
    film_id int unsigned not null,
    role varchar(100) not null default '',
    primary key (actor_id, film_id),
    key idx_fk_film_id (film_id),
    constraint fk_film_actor_actor foreign key (actor_id) references actor (actor_id) on delete cascade,
    constraint fk_film_actor_film foreign key (film_id) references film (film_id) on delete restrict);
  create table store (
    store_id tinyint unsigned not null auto_increment primary key,
    manager_staff_id tinyint unsigned not null,
    address_id smallint unsigned not null,
    unique key idx_unique_manager (manager_staff_id),
    constraint fk_store_address foreign key (address_id) references address (address_id) on update cascade);
  create table staff (
    staff_id tinyint unsigned not null auto_increment primary key,
    first_name varchar(45) not null,
    picture blob,
    email varchar(50) default null,
    store_id tinyint unsigned default null,
    boss_id tinyint unsigned default null,
    active tinyint(1) not null default 1,
    password varchar(40) character set utf8 collate utf8_bin default null,
    preferences json,
    constraint fk_staff_store foreign key (store_id) references store (store_id) on delete set null,
    constraint fk_staff_boss foreign key (boss_id) references staff (staff_id));
  create table rental (
    rental_id int not null auto_increment primary key,
    rental_date datetime not null,
    film_id int unsigned not null,
    staff_id tinyint unsigned not null,
    return_date datetime default null,
    fee double not null default 0,
    unique key (rental_date, film_id),
    key idx_fk_film_id (film_id),
    constraint fk_rental_film foreign key (film_id) references film (film_id),
    constraint fk_rental_staff foreign key (staff_id) references staff (staff_id));
  create table visit (at datetime(3), page varchar(200), agent tinytext);
  create view film_list as select f.film_id, f.title, l.name from film f join language l using (language_id);
  create trigger film_titled before insert on film for each row set new.title = trim(new.title);
  create procedure films() select count(*) from film;
  create function fee_of(days int) returns int deterministic return days * 2`;

/** The circle of two tables is closed when both have their rows. */
export const mysqlRentalRows = `
  insert into country (name) values ('Österreich'), ('日本'), ('España');
  insert into city (name, country_id) values ('Wien', 1), ('東京', 2), ('Málaga', 3);
  insert into address (line, city_id, location) values ('Ring 1', 1, st_geomfromtext('point(16.37 48.2)')),
    ('銀座', 2, st_geomfromtext('point(139.76 35.67)')), ('Calle 3', 3, st_geomfromtext('point(-4.4 36.7)'));
  insert into language (name) values ('English'), ('Deutsch '), ('日本語');
  insert into film (title, description, release_year, language_id, original_language_id, length, rating, special_features, poster)
    values ('  ACADEMY DINOSAUR', 'An epic\\nof \\\\ and \\'quotes\\'', 2006, 1, null, 86, 'PG', 'Deleted Scenes,Behind the Scenes', x'00ff5c'),
      ('ZORRO', null, 1901, 2, 1, null, 'NC-17', '', null), ('七人', repeat('侍', 5000), 2155, 3, 3, 207, null, null, repeat(x'00', 70000));
  insert into film (title, language_id) select concat(a.title, ' ', b.film_id, ' ', c.film_id), a.language_id from film a, film b, film c;
  insert into actor (first_name, last_name, born, awake, seen) values ('Zoë', 'MÜLLER', '1950-02-28', '-12:30:00', '2024-02-29 12:00:00.000001'),
    ('Renée', 'Groß', null, '838:59:59', null);
  insert into film_actor (actor_id, film_id, role) select a.actor_id, f.film_id, concat('role ', f.film_id % 7) from actor a, film f;
  insert into store (manager_staff_id, address_id) values (1, 1), (2, 2);
  insert into staff (first_name, picture, store_id, active, preferences) values ('Mike', x'89504e47', 1, 1, '{"lang": "en", "n": 12345678901234567}');
  insert into staff (first_name, store_id, boss_id, active, password) values ('Jon', 2, 1, 0, '8cb2237d'), ('Ada', null, 2, 7, null);
  alter table store add constraint fk_store_staff foreign key (manager_staff_id) references staff (staff_id);
  insert into rental (rental_date, film_id, staff_id, return_date, fee)
    select timestampadd(minute, film_id * 77, '2005-05-24 22:53:30'), film_id, 1 + film_id % 3, if(film_id % 2 = 0, '2006-01-01', null), film_id / 3 from film;
  insert into visit select rental_date, concat('/film/', film_id), 'Mozilla' from rental union all select null, null, null union all select null, null, null`;

/** Changes of all kinds in all of its tables. */
export const mysqlRentalChanges = `
  update film set rental_rate = rental_rate + 0.01, special_features = 'Trailers' where film_id % 5 = 0;
  update film set description = concat(description, '!'), poster = x'ff' where film_id in (1, 3);
  insert into film (title, language_id, rating, flags) values ('NEW', 1, 'R', b'10000000');
  delete from film_actor where film_id = 7 and actor_id = 1;
  update film_actor set film_id = 7 where film_id = 8 and actor_id = 1;
  delete from film_actor where actor_id = 2;
  delete from actor where actor_id = 2;
  update actor set first_name = 'Zo', last_name = 'Ö', awake = '00:00:00.5', seen = null;
  update staff set boss_id = null, active = not active, preferences = '[1, {"b": "ü"}]' where staff_id = 2;
  update country set name = concat(name, ' 🌍') where country_id = 1;
  update city set country_id = 1 where city_id = 2;
  insert into country (country_id, name) values (60000, 'España 2');
  update city set country_id = 60000 where country_id = 3;
  delete from country where country_id = 3;
  update address set location = st_geomfromtext('linestring(0 0, 1 1)'), phone = '+43' where address_id = 3;
  delete from rental where rental_id % 3 = 0;
  insert into rental (rental_date, film_id, staff_id) values ('2026-01-01', 1, 1);
  update visit set page = concat(page, '?') where agent = 'Mozilla' limit 5;
  delete from visit where page is null limit 1`;
