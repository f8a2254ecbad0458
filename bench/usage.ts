import type { Profile } from "./profile.ts";

export const HELP = `npm run bench -- [options] [profile...]

Measures Tideway against other tools that do the same, on servers that it starts itself, in turn in one
run. Without a profile it measures all of them, which takes an hour or two. Every row is compared after
every run; a run that fails or whose rows are wrong has no figure. Leaves nothing behind but its results.

  --list           the profiles, what they compare, and their targets
  --scale <n,...>  size of the data, 1 by default: 0.1 is a tenth. Several sizes are measured one after
                   another, with what a GB or a change costs at each
  --pairs <n>      runs of each contender, 3 by default; their median counts
  --memory         the servers' data in /dev/shm, to measure without the disk
  --server <n>     PostgreSQL's major version (full load: 15, changes: 18, the newest that the peers read)
  --peers <a,...>  only these peers, such as pgcopydb; none for Tideway alone
  --json <file>    where the results go (bench-results/<date>-<profiles>.json)
  --help

Examples:
  npm run bench -- pg-lineitem
  npm run bench -- --memory --peers pgcopydb pg-database
  npm run bench -- --scale 0.1,1,10 --peers none pg-lineitem
  npm run bench -- --scale 0.25,2.5,25 --pairs 1 pg-cdc-single

What the columns say:
  wall s       median, least and greatest of the runs, from the start of the tool's process (changes: from
               its message to begin) until the target holds everything
  MB/s         megabytes of COPY's text form, whatever format is moved
  CPU s        user and system time of all the tool's processes, of the source's and of the target's server
  peak MB      resident memory of all the tool's processes together, what they share counted for each
  vs tideway   the contender's time divided by Tideway's: 2.00x took twice as long

Peers and a MariaDB server that are not installed are installed with apt-get (as root on Debian); otherwise
the table says what to install. A program that lies elsewhere is named by TIDEWAY_BENCH_PGCOPYDB,
TIDEWAY_BENCH_PG_DUMP and so on. All servers, tools and this program share the machine: nothing else should
run on it. "others" in the notes below the table is CPU time that went to something else.
`;

export function listText(profiles: readonly Profile[], describe: (profile: Profile) => string[]): string {
  return profiles
    .map((profile) => {
      const peers = profile.contenders.slice(1).map(({ name }) => name);
      const lines = [
        `${profile.name}: ${profile.description}`,
        `  against ${peers.join(", ")}; PostgreSQL ${profile.serverVersion}; about ${profile.minutes} minutes`,
        ...wrap(profile.fairness, 100).map((line) => `  ${line}`),
        ...describe(profile).map((text) => `  target: ${text}`),
      ];
      return `${lines.join("\n")}\n`;
    })
    .join("\n");
}

export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length >= width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
