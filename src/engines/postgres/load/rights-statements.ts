import { EVERYBODY, type Grant, isDefaultRights, type ObjectRights } from "../../../core/rights.ts";
import { identifier } from "../../shared/identifier.ts";
import type { FoundRights } from "../catalog/catalog-rights.ts";

/** What an object's kind is called in ALTER ... OWNER; in GRANT all that is read like a table is one. */
const ALTER_WORDS: Partial<Record<ObjectRights["kind"], string>> = {
  "partitioned table": "table",
  function: "routine",
  procedure: "routine",
  aggregate: "routine",
};
const GRANT_WORDS: typeof ALTER_WORDS = { ...ALTER_WORDS, view: "table", "materialized view": "table" };

export interface RightsStep {
  readonly text: string;
  /** The same in statements of one privilege each: a server that refuses one privilege gives none of a statement. */
  readonly parts: readonly string[];
}

/**
 * The statement that gives an object to another owner. A sequence that is a column's there follows its table
 * by itself.
 */
export function ownerStatement(wanted: ObjectRights, actual: FoundRights): string | undefined {
  const { kind, owner } = wanted;
  const follows = kind === "sequence" && actual.on !== undefined;
  if (owner === actual.owner || isDefaultRights(kind) || follows) return undefined;
  return `alter ${ALTER_WORDS[kind] ?? kind} ${actual.identity} owner to ${identifier(owner)}`;
}

/**
 * What makes an object's privileges those that are wanted, whatever they are: what is too much is revoked
 * first, then each role gives what it has got by then. Empty when nothing is to be done.
 */
export function grantSteps(wanted: ObjectRights, actual: FoundRights): RightsStep[] {
  const revoked = wanted.revoked.filter((grant) => !isGivenWithOption(grant, wanted));
  const surplus = [...without(actual.granted, wanted.granted), ...without(revoked, actual.revoked)];
  const missing = [...without(wanted.granted, actual.granted), ...without(actual.revoked, wanted.revoked)];
  return [
    ...together(surplus).map((some) => step("revoke", some, actual)),
    ...together(inGrantOrder(missing)).map((some) => step("grant", some, actual)),
  ];
}

/** What the server gives by itself and somebody has given again, with the option to give it on. */
export function isGivenWithOption({ privilege, to }: Grant, { granted }: ObjectRights): boolean {
  return granted.some((grant) => {
    return grant.privilege === privilege && grant.to === to && grant.column === undefined && grant.grantable;
  });
}

function without(grants: readonly Grant[], others: readonly Grant[]): Grant[] {
  const keys = new Set(others.map(grantKey));
  return grants.filter((grant) => !keys.has(grantKey(grant)));
}

function grantKey({ privilege, column, by, to, grantable }: Grant): string {
  return JSON.stringify([privilege, column, by, to, grantable]);
}

/** Each grant after the one that its giver has the right from. */
function inGrantOrder(grants: readonly Grant[]): Grant[] {
  const ordered = new Set<Grant>();
  for (let known = -1; known !== ordered.size; ) {
    known = ordered.size;
    for (const grant of grants) {
      const waits = grants.some((other) => !ordered.has(other) && other.grantable && isSource(other, grant));
      if (!waits) ordered.add(grant);
    }
  }
  return [...ordered, ...grants.filter((grant) => !ordered.has(grant))];
}

function isSource(other: Grant, { by, privilege }: Grant): boolean {
  return by !== undefined && other.to === by && other.privilege === privilege;
}

/** Neighbours that one statement can give: from the same role to the same, with or without the option. */
function together(grants: readonly Grant[]): Grant[][] {
  const groups: Grant[][] = [];
  for (const grant of grants) {
    const last = groups.at(-1);
    const { by, to, grantable } = last?.[0] ?? {};
    if (last === undefined || by !== grant.by || to !== grant.to || grantable !== grant.grantable) {
      groups.push([grant]);
    } else last.push(grant);
  }
  return groups;
}

function step(verb: "grant" | "revoke", grants: readonly Grant[], actual: FoundRights): RightsStep {
  return {
    text: statement(verb, grants, actual),
    parts: grants.map((grant) => statement(verb, [grant], actual)),
  };
}

/** For grants that differ in nothing but the privilege. */
function statement(verb: "grant" | "revoke", grants: readonly Grant[], actual: FoundRights): string {
  const { kind, id, identity, owner } = actual;
  const { by, to, grantable } = grants[0]!;
  const what = grants.map(({ privilege, column }) => {
    return `${privilege.toLowerCase()}${column === undefined ? "" : ` (${identifier(column)})`}`;
  });
  const role = to === EVERYBODY ? EVERYBODY : identifier(to ?? owner);
  const whom = verb === "grant" ? `to ${role}${grantable ? " with grant option" : ""}` : `from ${role}`;
  if (isDefaultRights(kind)) {
    const place = `for role ${identifier(owner)} in schema ${identifier(id.schema)}`;
    const objects = kind.slice(kind.lastIndexOf(" ") + 1);
    return `alter default privileges ${place} ${verb} ${what.join(", ")} on ${objects} ${whom}`;
  }
  const text = `${verb} ${what.join(", ")} on ${GRANT_WORDS[kind] ?? kind} ${identity} ${whom}`;
  // Several statements in one query are one transaction, or part of the client's: a fault takes the role back.
  return by === undefined ? text : `set role ${identifier(by)}; ${text}; reset role`;
}
