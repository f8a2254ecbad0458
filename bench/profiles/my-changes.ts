import { acrossChangeProfile } from "../across/change-profile.ts";
import { hotTable, manyTables } from "../across/change-tables.ts";
import type { Profile } from "../profile.ts";

/** From MariaDB, catching up with 300,000 row changes. */

const cases = [
  { name: "many", description: "twenty tables", workload: manyTables },
  { name: "hot", description: "one hot table", workload: hotTable },
];

export const myChangeProfiles: readonly Profile[] = (["postgres", "mariadb"] as const).flatMap((to) =>
  cases.map(({ name, description, workload }) =>
    acrossChangeProfile({
      name: `my-cdc/${to}-${name}`,
      description: `MariaDB to ${to === "postgres" ? "PostgreSQL" : "MariaDB"}, 300,000 row changes in transactions of 4, ${description}`,
      minutes: 3,
      workload,
      to,
    }),
  ),
);
