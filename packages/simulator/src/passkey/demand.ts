/** How a phone demands a passkey before it links a client. The later options are faults of the server or the phone. */
export interface PasskeyDemand {
  /** Whether the account has a passkey. If it has none, no assertion can be right. Default: true. */
  readonly hasPasskey?: boolean;
  /** How long a challenge can be signed. Default: 10 minutes. */
  readonly challengeTtlMs?: number;
  /** How long after the scan or the pairing code the phone accepts a handoff proof. Default: 5 minutes. */
  readonly handoffTtlMs?: number;
  /** Whether `allowCredentials` names the account's credential. Default: false, which leaves it empty. */
  readonly listsCredential?: boolean;
  /** How the request carries its options; clients fetch those that are absent or cannot be read. Default: `inline`. */
  readonly requestOptions?: 'inline' | 'absent' | 'unreadable';
  /** Adds `dbsc_registration` to the request, which clients ignore. */
  readonly dbscRegistration?: boolean;
  /** How long the phone takes to continue after the assertion. Default: 0. */
  readonly continueAfterMs?: number | 'never';
  /** Length of the phone's nonce. Any other than 32 makes clients end the ceremony. Default: 32. */
  readonly primaryNonceLength?: number;
}
