import type { SslMode } from "../core/engine.ts";
import type { MigrationType } from "../core/source.ts";
import type { StoredSettings } from "./asked-settings.ts";
import type { IndividualResult } from "./individual-assessments.ts";
import type { InstanceStatus, TaskStatus } from "./state.ts";
import type { EventSource } from "./store.ts";
import type { ReloadWish, RetryProgress, RetryWish, StartMode } from "./task.ts";

/** What the control plane remembers, as plain data. Times are milliseconds since 1970. */
interface Named {
  readonly arn: string;
  /** The name people gave it; uniqueName() of it is unique in its kind. */
  readonly identifier: string;
  readonly createdMs: number;
}

export interface InstanceSettings {
  readonly instanceClass: string;
  readonly allocatedStorage: number;
  readonly multiAz: boolean;
  readonly engineVersion: string;
  readonly networkType: string;
}

export interface InstanceRecord extends Named, InstanceSettings {
  readonly status: InstanceStatus;
  readonly autoMinorVersionUpgrade: boolean;
  readonly publiclyAccessible: boolean;
  readonly maintenanceWindow: string;
  readonly availabilityZone: string;
  readonly subnetGroup: string;
  readonly securityGroups: readonly string[];
  readonly kmsKeyId?: string | undefined;
  readonly dnsNameServers?: string | undefined;
  /** Changes asked for with ApplyImmediately=false; a reboot applies them. */
  readonly pending: Partial<InstanceSettings>;
}

export interface SubnetGroupRecord extends Named {
  readonly description: string;
  readonly subnetIds: readonly string[];
}

export type SettingValue = string | number | boolean;

export interface EndpointRecord extends Named {
  readonly type: "source" | "target";
  /** As the client gave it: an engine's name or one of its aliases. */
  readonly engineName: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly sslMode: SslMode;
  /** Returned exactly as given. */
  readonly extraAttributes?: string | undefined;
  /** Engine settings of the engine's struct by their DMS names, without credentials. */
  readonly givenSettings: Readonly<Record<string, SettingValue>>;
  /** The settings in force: those given and those of `extraAttributes`. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly certificateArn?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly serviceAccessRoleArn?: string | undefined;
  readonly externalTableDefinition?: string | undefined;
}

/** The last test of an endpoint from an instance. `arn` is made of both, see connectionKey(). */
export interface ConnectionRecord extends Named {
  readonly instanceArn: string;
  readonly endpointArn: string;
  readonly status: "testing" | "successful" | "failed";
  /** Tells one test of the pair from another. */
  readonly test: string;
  readonly failure?: string | undefined;
}

/** The schemas an endpoint had when they were last asked for. `arn` is schemaListKey(endpoint). */
export interface SchemaListRecord extends Named {
  readonly instanceArn: string;
  readonly endpointArn: string;
  readonly status: "refreshing" | "successful" | "failed";
  readonly refreshedMs?: number | undefined;
  readonly failure?: string | undefined;
  readonly schemas: readonly string[];
}

export interface CertificateRecord extends Named {
  /** undefined for an Oracle wallet, which may hold keys and is kept as a secret. */
  readonly pem?: string | undefined;
  readonly validFromMs?: number | undefined;
  readonly validToMs?: number | undefined;
  readonly signingAlgorithm?: string | undefined;
  readonly keyLength?: number | undefined;
  readonly kmsKeyId?: string | undefined;
}

export interface TaskRecord extends Named, StoredSettings {
  /** TaskSpec.id: names the slot, the publication and the journal's rows. */
  readonly taskId: string;
  /** The task's own ARN when it is serverless: its process is made for it and ends with its run. */
  readonly instanceArn: string;
  readonly sourceArn: string;
  readonly targetArn: string;
  readonly migrationType: MigrationType;
  readonly tableMappings: string;
  readonly taskData?: string | undefined;
  readonly cdcStartPosition?: string | undefined;
  readonly cdcStopPosition?: string | undefined;
  readonly status: TaskStatus;
  readonly stopReason?: string | undefined;
  readonly failure?: string | undefined;
  readonly recoveryCheckpoint?: string | undefined;
  readonly run?: TaskRun | undefined;
  readonly stats?: TaskStats | undefined;
  /** Tables to be loaded again, or compared anew, until that is answered. */
  readonly reloads?: readonly WantedReload[] | undefined;
  /** Number of the last wish to load a table again. */
  readonly lastReload?: number | undefined;
  /** The last wish to try rows again that were passed over, and what was told of it. */
  readonly retry?: WantedRetry | undefined;
  /** undefined for a replication task, which runs on an instance. */
  readonly serverless?: Serverless | undefined;
}

export type WantedReload = ReloadWish & { readonly number: number };

export interface WantedRetry {
  readonly wish: RetryWish;
  readonly progress?: RetryProgress | undefined;
}

/** What makes a task the replication of a serverless configuration. */
export interface Serverless {
  readonly compute: ComputeConfig;
  /** JSON text, returned as given. */
  readonly supplementalSettings?: string | undefined;
  readonly updatedMs: number;
  /** StartReplicationType of the last start, as given. */
  readonly startType?: string | undefined;
  /** ARN of the assessment run that has to pass, or to end, before the start that it belongs to goes on. */
  readonly awaits?: string | undefined;
}

/** Members that were not given are not there: clients compare what they get with what they gave. */
export interface ComputeConfig {
  readonly maxCapacityUnits: number;
  readonly minCapacityUnits?: number | undefined;
  readonly multiAz: boolean;
  readonly availabilityZone?: string | undefined;
  readonly dnsNameServers?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly maintenanceWindow?: string | undefined;
  readonly subnetGroup?: string | undefined;
  readonly securityGroups?: readonly string[] | undefined;
}

/** The present or last run of a task. */
export interface TaskRun {
  /** How to send it to a worker if this one dies: as it was asked for, until it can be resumed. */
  readonly mode: StartMode;
  /** The migration type it was started as; the task's own may have been changed since. */
  readonly type: MigrationType;
  /** This run or one before it replicated changes, and so may have left a stream on the source. */
  readonly streamed: boolean;
  readonly startedMs: number;
  readonly stoppedMs?: number | undefined;
  /** Start of the first run or of the last reload-target. */
  readonly freshMs: number;
}

export interface TaskStats {
  readonly fullLoadPercent: number;
  readonly tablesLoaded: number;
  readonly tablesLoading: number;
  readonly tablesQueued: number;
  readonly tablesErrored: number;
  readonly fullLoadStartMs?: number | undefined;
  readonly fullLoadEndMs?: number | undefined;
}

/** One assessment of a task before it is started. */
export interface AssessmentRunRecord extends Named {
  /** Unique for its task. */
  readonly name: string;
  readonly taskArn: string;
  /** Where the task was then. */
  readonly instanceArn: string;
  /** In AWS DMS's words; a run that was cancelled stays `cancelling`. */
  readonly status: "running" | "passed" | "warning" | "failed" | "cancelling" | "error-executing";
  /** Why it could not be carried out. */
  readonly failure?: string | undefined;
  /** The individual assessments that it is made of. */
  readonly names: readonly string[];
  /** What they came to, once it is over. */
  readonly results: readonly IndividualResult[];
  /** Returned as given: the results stay in the store. */
  readonly serviceAccessRoleArn: string;
  readonly resultLocationBucket: string;
  readonly resultLocationFolder: string | undefined;
  readonly resultEncryptionMode: string | undefined;
  readonly resultKmsKeyArn: string | undefined;
  /** Of a run that a serverless replication starts with: whether it does not start when the run fails. */
  readonly failsStart?: boolean | undefined;
}

/** Who is to hear of which events. */
export interface EventSubscriptionRecord extends Named {
  readonly topicArn: string;
  /** undefined: of all sources. */
  readonly sourceType?: EventSource | undefined;
  /** Identifiers of instances or tasks; none: of all. */
  readonly sourceIds: readonly string[];
  /** As given; none: all. */
  readonly categories: readonly string[];
  readonly enabled: boolean;
  /** How the last delivery went: AWS DMS's words for a topic that refuses, and one that is not there. */
  readonly status: "active" | "no-permission" | "topic-not-exist";
  /** Number of the last event that it is done with. */
  readonly done: number;
}

/** Every kind of stored resource with its record. */
export interface Records {
  readonly instance: InstanceRecord;
  readonly "subnet-group": SubnetGroupRecord;
  readonly endpoint: EndpointRecord;
  readonly connection: ConnectionRecord;
  readonly "schema-list": SchemaListRecord;
  readonly certificate: CertificateRecord;
  readonly task: TaskRecord;
  readonly "event-subscription": EventSubscriptionRecord;
  readonly "assessment-run": AssessmentRunRecord;
}

export type ResourceKind = keyof Records;

export function connectionKey(instanceArn: string, endpointArn: string): string {
  return `${instanceArn} ${endpointArn}`;
}

export function schemaListKey(endpointArn: string): string {
  return `schemas ${endpointArn}`;
}
