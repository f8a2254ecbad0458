import type { ErrorKind } from "../error.ts";

/** Reaching a database: network, authentication, TLS. */
export const connectErrors = {
  "connect.unknown_host": {
    scope: "task",
    retry: "once-worked",
    meaning: "The host name does not resolve.",
    remedy: "Check the server name, and that this machine's DNS knows it.",
  },
  "connect.refused": {
    scope: "task",
    retry: "once-worked",
    meaning: "Nothing listens at that host and port, or the socket is missing.",
    remedy: "Check host and port, that the server runs, and that it listens on that address.",
  },
  "connect.timeout": {
    scope: "task",
    retry: "once-worked",
    meaning: "The server did not answer in time.",
    remedy: "Check routes and firewalls between this machine and the server.",
  },
  "connect.lost": {
    scope: "task",
    retry: "once-worked",
    meaning: "An open connection broke.",
    remedy: "Tideway reconnects by itself; if it goes on, look at the server's log.",
  },
  "connect.too_many": {
    scope: "task",
    retry: "backoff",
    meaning: "The server has no free connection left.",
    remedy: "Raise max_connections or lower MaxFullLoadSubTasks.",
  },
  "connect.starting_up": {
    scope: "task",
    retry: "backoff",
    meaning: "The server is starting, stopping or recovering.",
    remedy: "Wait until it accepts connections; Tideway tries again by itself.",
  },
  "connect.clock_differs": {
    scope: "task",
    retry: "never",
    meaning: "A server's clock differs from that of the machine on which Tideway runs.",
    remedy: "Set the clocks by NTP on all machines.",
    ignored:
      "Lags are shown too long or too short by the difference, and starts and stops at a time of the day come early or late.",
  },
  "connect.slow_round_trip": {
    scope: "task",
    retry: "never",
    meaning: "A statement that does nothing takes long to the server and back.",
    remedy: "Run Tideway near the server, best in the target's network.",
    ignored:
      "Small tables and small transactions take longer, each by several round trips; large tables hardly do.",
  },
  "auth.failed": {
    scope: "task",
    retry: "never",
    meaning: "The server refused the user name or the password.",
    remedy: "Correct the endpoint's user name and password.",
  },
  "auth.not_allowed": {
    scope: "task",
    retry: "never",
    meaning: "The server's access rules do not admit this user from this address.",
    remedy:
      "Let the user connect from this machine's address: on PostgreSQL by a line of pg_hba.conf (for cdc the user also needs REPLICATION), on MySQL and MariaDB by creating the user for that address.",
  },
  "auth.unknown_database": {
    scope: "task",
    retry: "never",
    meaning: "The database does not exist on that server.",
    remedy: "Correct the endpoint's database name.",
  },
  "tls.refused": {
    scope: "task",
    retry: "never",
    meaning: "TLS was asked for and the server does not offer it.",
    remedy:
      "Turn TLS on at the server (PostgreSQL: ssl = on; MySQL and MariaDB: ssl_cert and ssl_key) or set the endpoint's SSL mode to none.",
  },
  "tls.untrusted": {
    scope: "task",
    retry: "never",
    meaning: "The server's certificate is not signed by a trusted CA, or has expired.",
    remedy:
      "Import the CA with `aws dms import-certificate` and name it in the endpoint, or use SSL mode require.",
  },
  "tls.wrong_host": {
    scope: "task",
    retry: "never",
    meaning: "The certificate is for another host name than the endpoint's.",
    remedy: "Use the name in the certificate as server name, or SSL mode verify-ca.",
  },
  "tls.failed": {
    scope: "task",
    retry: "never",
    meaning:
      "The TLS handshake failed: no common version or cipher, or the server wants a client certificate.",
    remedy: "Check the server's ssl settings and its log; client certificates are not supported.",
  },
  "tls.certificate_malformed": {
    scope: "task",
    retry: "never",
    meaning: "The CA certificate given for the endpoint is not PEM.",
    remedy: "Import a file that holds -----BEGIN CERTIFICATE----- blocks, or name it with sslrootcert.",
  },
} as const satisfies Record<string, ErrorKind>;
