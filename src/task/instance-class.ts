import { availableParallelism, totalmem } from "node:os";

/** What a replication instance class stands for in AWS, and here bounds of its worker process. */
export interface InstanceClass {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
}

/** Vcpus of the sizes that come with one memory share per vcpu. */
const sizes = {
  large: 2,
  xlarge: 4,
  "2xlarge": 8,
  "4xlarge": 16,
  "8xlarge": 32,
  "9xlarge": 36,
  "12xlarge": 48,
  "16xlarge": 64,
  "18xlarge": 72,
  "24xlarge": 96,
  "32xlarge": 128,
} as const;
type Size = keyof typeof sizes;

/** Families whose memory grows with their vcpus: MB per vcpu, and the sizes AWS offers. */
const families: readonly {
  readonly name: string;
  readonly mbPerVcpu: number;
  readonly sizes: readonly Size[];
}[] = [
  { name: "c4", mbPerVcpu: 1920, sizes: ["large", "xlarge", "2xlarge", "4xlarge"] },
  {
    name: "c5",
    mbPerVcpu: 2048,
    sizes: ["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge", "24xlarge"],
  },
  {
    name: "c6i",
    mbPerVcpu: 2048,
    sizes: [
      "large",
      "xlarge",
      "2xlarge",
      "4xlarge",
      "8xlarge",
      "12xlarge",
      "16xlarge",
      "24xlarge",
      "32xlarge",
    ],
  },
  { name: "r4", mbPerVcpu: 7808, sizes: ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"] },
  {
    name: "r5",
    mbPerVcpu: 8192,
    sizes: ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"],
  },
  {
    name: "r6i",
    mbPerVcpu: 8192,
    sizes: [
      "large",
      "xlarge",
      "2xlarge",
      "4xlarge",
      "8xlarge",
      "12xlarge",
      "16xlarge",
      "24xlarge",
      "32xlarge",
    ],
  },
];

const burstable: readonly InstanceClass[] = [
  { name: "dms.t2.micro", vcpus: 1, memoryMb: 1024 },
  { name: "dms.t2.small", vcpus: 1, memoryMb: 2048 },
  { name: "dms.t2.medium", vcpus: 2, memoryMb: 4096 },
  { name: "dms.t2.large", vcpus: 2, memoryMb: 8192 },
  { name: "dms.t3.micro", vcpus: 2, memoryMb: 1024 },
  { name: "dms.t3.small", vcpus: 2, memoryMb: 2048 },
  { name: "dms.t3.medium", vcpus: 2, memoryMb: 4096 },
  { name: "dms.t3.large", vcpus: 2, memoryMb: 8192 },
];

export const instanceClasses: readonly InstanceClass[] = [
  ...burstable,
  ...families.flatMap((family) =>
    family.sizes.map((size) => ({
      name: `dms.${family.name}.${size}`,
      vcpus: sizes[size],
      memoryMb: sizes[size] * family.mbPerVcpu,
    })),
  ),
];

export function findInstanceClass(name: string): InstanceClass | undefined {
  return instanceClasses.find((one) => one.name === name);
}

/** How the worker of an instance of a class is started; without bounds where this version does not know the class. */
export function limitsOfClass(name: string): ProcessLimits {
  const found = findInstanceClass(name);
  return found === undefined ? { execArgv: [], environment: {} } : processLimits(found);
}

/** How many capacity units AWS DMS lets a serverless replication have. */
export const CAPACITY_UNITS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384];

/**
 * What capacity units stand for: 2 GB of memory each, as AWS documents, and a vcpu, as the classes with
 * that share of memory (c5, c6i) have.
 */
export function capacityClass(units: number): InstanceClass {
  return { name: `${units} capacity units`, vcpus: units, memoryMb: units * 2048 };
}

/** How a worker process of that class is started. */
export interface ProcessLimits {
  readonly execArgv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Three quarters of the class's memory for the heap (rows live in buffers beside it), but never more
 * than this machine could give; as many threads as the class has vcpus, but no more than there are.
 */
export function processLimits(instanceClass: InstanceClass): ProcessLimits {
  const memoryMb = Math.min(instanceClass.memoryMb, Math.floor(totalmem() / 1024 / 1024));
  const threads = Math.min(instanceClass.vcpus, availableParallelism());
  return {
    execArgv: [
      `--max-old-space-size=${Math.floor(memoryMb * 0.75)}`,
      `--v8-pool-size=${threads}`,
      // As in bin/tideway.js: buffers that rows pass through are freed early, by collections so small that changes
      // do not wait for them: 1 ms instead of ten on busy cores.
      "--max-semi-space-size=1",
    ],
    environment: { UV_THREADPOOL_SIZE: String(Math.max(4, threads)) },
  };
}
