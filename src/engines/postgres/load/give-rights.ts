import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { Finding } from "../../../core/finding.ts";
import {
  displayRights,
  EVERYBODY,
  type Grant,
  isDefaultRights,
  type ObjectRights,
  rightsKey,
} from "../../../core/rights.ts";
import type { GiveRights } from "../../../core/target.ts";
import { finding } from "../../shared/finding.ts";
import { readOnly, selectJson } from "../catalog/catalog-query.ts";
import { type FoundRights, readRights } from "../catalog/catalog-rights.ts";
import { findRoles, type Role, rolesOf, unusableRoles } from "../catalog/roles.ts";
import { classify, isOwnFault } from "../connection/errors.ts";
import { grantSteps, isGivenWithOption, ownerStatement, type RightsStep } from "./rights-statements.ts";

/**
 * Owners; privileges; what had to wait for another object's, as a table's owner for the right to create in
 * its schema; what revoking took along, as privileges of columns go with the table's.
 */
const PASSES = 4;

/** What a finding lists at most. */
const NAMED = 5;

/** Where objects are looked for, and how one statement about them is run. */
export interface RightsPlace {
  present(client: pg.Client, wanted: readonly ObjectRights[]): Promise<readonly FoundRights[]>;
  run(client: pg.Client, statement: string): Promise<unknown>;
  /** After one that has failed. */
  undo(client: pg.Client): Promise<unknown>;
}

/** Each statement is a transaction of its own, so that no more than one object is locked at a time. */
const IN_SCHEMAS: RightsPlace = {
  present: async (client, wanted) => [...(await presentRights(client, wanted)).values()],
  run: (client, statement) => client.query(statement),
  undo: async () => undefined,
};

/**
 * Brings owners and privileges to what is wanted by looking at what they are, so that it can be done again
 * after any crash, and that what a server merely warns about (01006, 01007) is seen as not done.
 * Resolves with what is left undone.
 */
export async function giveRights(
  client: pg.Client,
  request: GiveRights,
  place = IN_SCHEMAS,
): Promise<Finding[]> {
  const { rights, kept } = request;
  if (rights.length + kept.length === 0) return [];
  const roles = await findRoles(client, rolesOf(rights));
  const known = await knownPrivileges(client);
  const wanted = rights.flatMap((one) => whatIsPossible(one, { roles, known }));
  const faults = new Map<string, string>();
  const attempt = async (statement: string): Promise<boolean> => {
    const fault = await faultOf(client, place, statement);
    if (fault === undefined) faults.delete(statement);
    else faults.set(statement, fault);
    return fault === undefined;
  };
  for (let pass = 1; ; pass++) {
    const present = byKey(await place.present(client, wanted));
    const left = differences(wanted, present, (rights, actual) => {
      if (request.adds === true) return grants(rights, actual, request);
      const owner = ownerChange(rights, actual);
      if (owner === undefined) return grants(rights, actual, request);
      // With its owner an object's privileges become others; without it they must not be missing.
      return faults.has(owner.text) ? [...grants(rights, actual, request), owner] : [owner];
    });
    if (left.length === 0 || pass > PASSES) {
      const there = wanted.filter((one) => present.has(rightsKey(one)));
      return [
        ...unusableRoles(roles),
        ...unknownPrivileges(rights, known),
        ...left.flatMap((one) => notGiven(one, faults)),
        ...(request.replicates ? there.flatMap(waits) : []),
        ...(await tellOfKept(client, known, request)),
      ];
    }
    for (const { text, parts } of left.flatMap(({ steps }) => steps)) {
      // A statement that fails for one privilege gives none of the others.
      if (!(await attempt(text)) && parts.length > 1) for (const part of parts) await attempt(part);
      failpoint("build.right-given");
    }
  }
}

/** What there is of the wanted objects already. */
export async function presentRights(
  client: pg.Client,
  wanted: readonly ObjectRights[],
): Promise<Map<string, FoundRights>> {
  const schemas = [...new Set(wanted.map(({ id }) => id.schema))];
  const found = await readOnly(client, () => readRights(client, schemas));
  const keys = new Set(wanted.map(rightsKey));
  return new Map(found.map((one) => [rightsKey(one), one] as const).filter(([key]) => keys.has(key)));
}

interface PossibleRights extends ObjectRights {
  readonly changesOwner: boolean;
}

interface Possibilities {
  readonly roles: ReadonlyMap<string, Role>;
  readonly known: ReadonlySet<string>;
}

/** Without what names a role that is missing or that this one may not act as, or a privilege of another version. */
function whatIsPossible(rights: ObjectRights, { roles, known }: Possibilities): PossibleRights[] {
  const mayActAs = (role: string): boolean => roles.get(role)?.usable === true;
  const isPossible = ({ privilege, by, to }: Grant): boolean =>
    known.has(privilege) &&
    (by === undefined || mayActAs(by)) &&
    (to === undefined || roles.get(to)?.exists !== false);
  const changesOwner = mayActAs(rights.owner);
  if (isDefaultRights(rights.kind) && !changesOwner) return [];
  const { granted, revoked } = rights;
  return [
    { ...rights, changesOwner, granted: granted.filter(isPossible), revoked: revoked.filter(isPossible) },
  ];
}

/** Privileges on whatever has an owner. MAINTAIN came with version 17. */
async function knownPrivileges(client: pg.Client): Promise<ReadonlySet<string>> {
  const rows = await selectJson<{ name: string }>(
    client,
    `select distinct x.privilege_type as name
       from unnest('{r,s,f,n,T,L}'::"char"[]) as k(kind) cross join aclexplode(acldefault(k.kind, 10)) as x`,
  );
  return new Set(rows.map(({ name }) => name));
}

function byKey(found: readonly FoundRights[]): ReadonlyMap<string, FoundRights> {
  return new Map(found.map((one) => [rightsKey(one), one]));
}

interface Difference {
  readonly rights: ObjectRights;
  readonly steps: readonly RightsStep[];
}

/** An object that is not there has been told by whoever should have made it. */
function differences(
  wanted: readonly PossibleRights[],
  present: ReadonlyMap<string, FoundRights>,
  toDo: (rights: PossibleRights, actual: FoundRights) => readonly RightsStep[],
): Difference[] {
  return wanted.flatMap((rights) => {
    const found = present.get(rightsKey(rights));
    const actual = found ?? (isDefaultRights(rights.kind) ? nothingGiven(rights) : undefined);
    if (actual === undefined) return [];
    const steps = toDo(rights, actual);
    return steps.length === 0 ? [] : [{ rights, steps }];
  });
}

function ownerChange(rights: PossibleRights, actual: FoundRights): RightsStep | undefined {
  const text = rights.changesOwner ? ownerStatement(rights, actual) : undefined;
  return text === undefined ? undefined : { text, parts: [text] };
}

function grants(rights: ObjectRights, actual: FoundRights, { replicates, adds }: GiveRights): RightsStep[] {
  const wanted = ofOwner(rights, actual.owner, replicates);
  return grantSteps(adds === true ? onTop(wanted.granted, actual) : wanted, actual);
}

function onTop(granted: readonly Grant[], actual: FoundRights): ObjectRights {
  return { ...actual, granted: [...actual.granted, ...granted] };
}

/** What the owner has or has given does not show as given, whoever that is. One that writes changes keeps all. */
function ofOwner(rights: ObjectRights, owner: string, replicates: boolean): ObjectRights {
  const granted = rights.granted.flatMap(({ by, ...grant }): Grant[] => {
    if (grant.to === owner) return [];
    return [by === undefined || by === owner ? grant : { ...grant, by }];
  });
  const waiting = replicates ? ownerLacks(rights) : [];
  return { ...rights, granted, revoked: rights.revoked.filter((grant) => !waiting.includes(grant)) };
}

function ownerLacks(rights: ObjectRights): Grant[] {
  return rights.revoked.filter((grant) => grant.to === undefined && !isGivenWithOption(grant, rights));
}

function nothingGiven(rights: ObjectRights): FoundRights {
  return { ...rights, granted: [], revoked: [], identity: "" };
}

/** Resolves with why a statement failed. */
async function faultOf(
  client: pg.Client,
  place: RightsPlace,
  statement: string,
): Promise<string | undefined> {
  try {
    await place.run(client, statement);
    return undefined;
  } catch (thrown) {
    const error = classify(thrown, { side: "target", phase: "build" });
    if (!isOwnFault(error)) throw error;
    await place.undo(client);
    return error.message;
  }
}

function notGiven({ rights, steps }: Difference, faults: ReadonlyMap<string, string>): Finding[] {
  return steps
    .flatMap(({ parts }) => parts)
    .map((statement) =>
      finding("target.right_not_given", "warning", {
        subject: displayRights(rights),
        message: `On the target this was not done: ${statement}. ${faults.get(statement) ?? "The server gave no error."}`,
      }),
    );
}

/** One finding for all objects: they may be many, and nothing is wrong with any of them. */
function unknownPrivileges(rights: readonly ObjectRights[], known: ReadonlySet<string>): Finding[] {
  const lacking = rights.flatMap((one) => {
    const names = one.granted.map(({ privilege }) => privilege).filter((name) => !known.has(name));
    return [...new Set(names)].map((name) => ({ name, one }));
  });
  return [...Map.groupBy(lacking, ({ name }) => name)].map(([name, some]) =>
    finding("target.right_not_given", "warning", {
      subject: name,
      message: `The target knows no privilege ${name}, which the source has granted on ${some.length} objects: ${listed(some.map(({ one }) => displayRights(one)))}.`,
      remedy: "Let the roles that need it be members of the owner's.",
    }),
  );
}

/** One finding for each kind, and one for each role that they lack. */
async function tellOfKept(
  client: pg.Client,
  known: ReadonlySet<string>,
  request: GiveRights,
): Promise<Finding[]> {
  if (request.kept.length === 0) return [];
  const roles = await findRoles(client, rolesOf(request.kept));
  const kept = request.kept.flatMap((one) => whatIsPossible(one, { roles, known }));
  const different = differences(kept, await presentRights(client, kept), (rights, actual) => {
    if (isOfEveryDatabase(rights)) return grantSteps(ofNamedRoles(rights, actual), actual);
    const owner = ownerChange(rights, actual);
    if (owner === undefined) return grants(rights, actual, request);
    return [owner, ...grants(rights, { ...actual, owner: rights.owner }, request)];
  });
  const own = rolesOf(request.kept.filter((one) => !isOfEveryDatabase(one)));
  return [...unusableRoles(new Map([...roles].filter(([name]) => own.has(name)))), ...keptRights(different)];
}

/** The server makes it, with another owner and other privileges for all in other versions. */
function isOfEveryDatabase({ kind, id }: ObjectRights): boolean {
  return kind === "schema" && id.schema === "public";
}

function ofNamedRoles(rights: ObjectRights, actual: FoundRights): ObjectRights {
  const named = rights.granted.filter(
    ({ to }) => to !== undefined && to !== EVERYBODY && to !== actual.owner,
  );
  return onTop(named, actual);
}

function keptRights(different: readonly Difference[]): Finding[] {
  return [...Map.groupBy(different, ({ rights: { kind } }) => kind)].map(([kind, some]) => {
    const statements = some.flatMap(({ steps }) => steps.map(({ text }) => text));
    return finding("target.rights_kept", "warning", {
      subject: kind,
      message: `Of the kind ${kind}, ${some.length} keep an owner or privileges other than the source's. Not done: ${listed(statements, "; ")}.`,
    });
  });
}

function listed(names: readonly string[], separator = ", "): string {
  return `${names.slice(0, NAMED).join(separator)}${names.length > NAMED ? `${separator}...` : ""}`;
}

/** The target's user has an owner's rights only, and needs them to write what is replicated. */
function waits(rights: ObjectRights): Finding[] {
  const own = ownerLacks(rights).map(({ privilege }) => privilege);
  if (own.length === 0) return [];
  return [
    finding("target.object_waits", "warning", {
      subject: displayRights(rights),
      message: `The ${displayRights(rights)} keeps its owner's ${own.join(", ")}, which is revoked on the source.`,
    }),
  ];
}
