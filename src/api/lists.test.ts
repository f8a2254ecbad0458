import assert from "node:assert/strict";
import { test } from "node:test";
import { filtered, filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";

const people = [
  { name: "Ann", town: "Oslo" },
  { name: "Bob", town: "Rome" },
  { name: "Cid", town: "oslo" },
];
const names = {
  name: (one: { name: string }) => one.name,
  any: (one: { name: string; town: string }) => [one.name, one.town],
};

test("the values of a filter are alternatives, several filters must all hold, case is of no account", () => {
  const ask = (...filters: { Name: string; Values: string[] }[]): string[] =>
    filtered(people, filters, names).map((one) => one.name);
  assert.deepEqual(ask({ Name: "name", Values: ["ann", "BOB"] }), ["Ann", "Bob"]);
  assert.deepEqual(ask({ Name: "any", Values: ["oslo"] }), ["Ann", "Cid"]);
  assert.deepEqual(ask({ Name: "any", Values: ["oslo"] }, { Name: "name", Values: ["cid"] }), ["Cid"]);
  assert.deepEqual(ask({ Name: "name", Values: [] }), []);
});

test("an unknown filter name is refused with the names that are known", () => {
  for (const Name of ["colour", "toString", ""]) {
    assert.throws(() => filtered(people, [{ Name, Values: ["x"] }], names), {
      code: "InvalidParameterValueException",
      message: /name, any/,
    });
  }
});

test("filters that match nothing are a ResourceNotFoundFault, no filters on nothing an empty list", () => {
  assert.throws(
    () => filteredOrNotFound(people, [{ Name: "name", Values: ["Zed"] }], { names, what: "People" }),
    { code: "ResourceNotFoundFault", message: "No People found matching provided filters" },
  );
  assert.deepEqual(filteredOrNotFound([], undefined, { names, what: "People" }), []);
});

const numbers = Array.from({ length: 205 }, (_, index) => index);
const key = String;

test("pages follow each other without gap or repeat and end without a marker", () => {
  const seen: number[] = [];
  let Marker: string | undefined;
  const sizes: number[] = [];
  do {
    const { items, marker } = page(numbers, { Marker }, { key });
    seen.push(...items);
    sizes.push(items.length);
    Marker = marker;
  } while (Marker !== undefined);
  assert.deepEqual(seen, numbers);
  assert.deepEqual(sizes, [100, 100, 5]);
});

test("items that look alike do not send paging back", () => {
  const alike = Array.from({ length: 50 }, () => "same");
  const { marker: Marker } = page(alike, { MaxRecords: 20 }, { key });
  const next = page(alike, { MaxRecords: 20, Marker }, { key });
  assert.equal(page(alike, { MaxRecords: 20, Marker: next.marker }, { key }).items.length, 10);
});

test("a list that fills its last page exactly has no further marker", () => {
  assert.equal(page(numbers.slice(0, 20), { MaxRecords: 20 }, { key }).marker, undefined);
  assert.deepEqual(page([], {}, { key }), { items: [], marker: undefined });
});

test("items that are removed between two pages make none of the others be left out", () => {
  const { marker: Marker } = page(numbers, { MaxRecords: 20 }, { key });
  const left = numbers.filter((one) => one >= 10);
  assert.equal(page(left, { MaxRecords: 20, Marker }, { key }).items[0], 20);
  const withoutLast = numbers.filter((one) => one !== 19);
  assert.equal(page(withoutLast, { MaxRecords: 20, Marker }, { key }).items[0], 20);
});

test("page sizes outside AWS's range and markers of somebody else are refused", () => {
  for (const MaxRecords of [0, -1, 19, 101]) {
    assert.throws(() => page(numbers, { MaxRecords }, { key }), {
      code: "InvalidParameterValueException",
      message: /Must be between 20 and 100/,
    });
  }
  for (const Marker of ["x", "e30", "!!!", Buffer.from('[1,"a"]').toString("base64url")]) {
    assert.throws(() => page(numbers, { Marker }, { key }), { code: "InvalidParameterValueException" });
  }
});
