import { invalidValue, notFound } from "./faults.ts";

export interface Filter {
  readonly Name: string | undefined;
  readonly Values: readonly string[] | undefined;
}

/** What each filter name compares with. An item may have several values. */
export type FilterNames<T> = Readonly<Record<string, (item: T) => string | readonly string[]>>;

/**
 * The items that match all filters; within a filter any of its values may match, without regard to
 * case. Throws InvalidParameterValueException for a name that the operation does not know.
 */
export function filtered<T>(
  items: readonly T[],
  filters: readonly Filter[] | undefined,
  names: FilterNames<T>,
): readonly T[] {
  let left = items;
  for (const { Name: name = "", Values: values = [] } of filters ?? []) {
    const read = Object.hasOwn(names, name) ? names[name] : undefined;
    if (read === undefined) {
      const known = Object.keys(names).join(", ");
      throw invalidValue(`The filter name ${name} is not valid. Valid names are: ${known}.`);
    }
    const wanted = new Set(values.map((value) => value.toLowerCase()));
    left = left.filter((item) => [read(item)].flat().some((value) => wanted.has(value.toLowerCase())));
  }
  return left;
}

/**
 * As filtered(); AWS answers with ResourceNotFoundFault when filters match nothing, and its "deleted"
 * waiters depend on it. Without filters an empty list is an answer.
 */
export function filteredOrNotFound<T>(
  items: readonly T[],
  filters: readonly Filter[] | undefined,
  { names, what }: { readonly names: FilterNames<T>; readonly what: string },
): readonly T[] {
  const left = filtered(items, filters, names);
  if (left.length === 0 && (filters ?? []).length > 0) {
    throw notFound(`No ${what} found matching provided filters`);
  }
  return left;
}
