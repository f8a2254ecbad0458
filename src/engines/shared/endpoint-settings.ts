import type { EndpointSetting } from "../../core/engine.ts";

/** Members that DMS's settings of several engines have in common, and that mean the same here. */
export const executeTimeout: EndpointSetting = {
  name: "ExecuteTimeout",
  type: "integer",
  default: 60,
  min: 0,
  units: "seconds",
  appliesTo: "both",
  effective: false,
  describe: "No effect: reading a large table or building its index may take as long as it takes.",
};

export const maxFileSize: EndpointSetting = {
  name: "MaxFileSize",
  type: "integer",
  default: 32768,
  min: 1,
  max: 1048576,
  units: "KB",
  appliesTo: "target",
  effective: false,
  describe: "No effect: Tideway streams rows from server to server and writes no files in between.",
};

/** Where DMS may take the user name and the password from when the endpoint does not hold them. */
export const credentialSettings: readonly EndpointSetting[] = [
  {
    name: "AuthenticationMethod",
    type: "enum",
    values: ["iam", "password"],
    default: "password",
    appliesTo: "both",
    effective: false,
    describe: "No effect: Tideway authenticates by password, or by what the server asks for without one.",
  },
  ...["ServiceAccessRoleArn", "SecretsManagerAccessRoleArn", "SecretsManagerSecretId"].map(
    (name): EndpointSetting => ({
      name,
      type: "string",
      appliesTo: "both",
      effective: false,
      describe: "No effect: give the endpoint's user name and password instead.",
    }),
  ),
];
