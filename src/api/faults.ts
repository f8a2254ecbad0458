/** Error codes of AWS DMS and of AWS's front door that Tideway answers with. */
export type FaultCode =
  | "AccessDeniedFault"
  | "InvalidCertificateFault"
  | "InvalidOperationFault"
  | "InvalidSubnet"
  | "InvalidResourceStateFault"
  | "ResourceAlreadyExistsFault"
  | "ResourceNotFoundFault"
  | "ResourceQuotaExceededFault"
  | "SNSInvalidTopicFault"
  | "InvalidParameterValueException"
  | "InvalidParameterCombinationException"
  | "ValidationException"
  | "SerializationException"
  | "UnknownOperationException"
  | "MissingAuthenticationTokenException"
  | "IncompleteSignatureException"
  | "InvalidSignatureException"
  | "UnrecognizedClientException"
  | "InternalFailure";

/** An error as the client sees it. The message never holds passwords or keys. */
export class Fault extends Error {
  readonly code: FaultCode;
  /** Further members of the error's body. */
  readonly members: Readonly<Record<string, string>>;

  constructor(code: FaultCode, message: string, members: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "Fault";
    this.code = code;
    this.members = members;
  }

  /** AWS's JSON services answer every fault of the client with 400. */
  get status(): number {
    return this.code === "InternalFailure" ? 500 : 400;
  }
}

export function invalidValue(message: string): Fault {
  return new Fault("InvalidParameterValueException", message);
}

export function invalidCombination(message: string): Fault {
  return new Fault("InvalidParameterCombinationException", message);
}

export function invalidState(message: string): Fault {
  return new Fault("InvalidResourceStateFault", message);
}

export function notFound(message: string): Fault {
  return new Fault("ResourceNotFoundFault", message);
}

export function alreadyExists(message: string, resourceArn?: string): Fault {
  return new Fault("ResourceAlreadyExistsFault", message, resourceArn === undefined ? {} : { resourceArn });
}
