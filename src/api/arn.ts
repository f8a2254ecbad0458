import { randomBytes } from "node:crypto";
import { invalidValue } from "./faults.ts";
import type { Call } from "./service.ts";

export type ArnType =
  | "rep"
  | "endpoint"
  | "task"
  | "subgrp"
  | "cert"
  | "replication-config"
  | "es"
  | "assessment-run";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const RANDOM_ID_LENGTH = 26;

export function makeArn(call: Pick<Call, "region" | "account">, type: ArnType, id: string): string {
  return `arn:aws:dms:${call.region}:${call.account}:${type}:${id}`;
}

/** An ARN's last part. */
export function resourceIdOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}

/** The end of a new resource's ARN: as asked for with ResourceIdentifier, else 26 random letters and digits. */
export function newResourceId(given: string | undefined): string {
  if (given === undefined) {
    return Array.from(randomBytes(RANDOM_ID_LENGTH), (byte) => BASE32.charAt(byte % 32)).join("");
  }
  checkIdentifier("ResourceIdentifier", given, 31);
  return given;
}

/** Names of resources: a letter first, then letters, digits and single hyphens, none at the end. */
export function checkIdentifier(member: string, value: string, longest: number): void {
  if (value === "") throw invalidValue(`The parameter ${member} must be provided and must not be blank.`);
  if (value.length > longest) {
    throw invalidValue(`The parameter ${member} must not be longer than ${longest} characters.`);
  }
  if (!/^[A-Za-z](-?[A-Za-z0-9])*$/.test(value)) {
    throw invalidValue(
      `The parameter ${member} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.`,
    );
  }
}
