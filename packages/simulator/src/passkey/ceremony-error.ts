/**
 * Why a phone has ended a passkey ceremony without a linked client:
 *
 * - `refused`: its owner refused, or compared the codes and they differ
 * - `replaced`: its owner scanned or typed another code, or another phone scanned the client's
 * - `disconnected`: the client closed its connection
 * - `commitment-wrong`: the client revealed another nonce than the one that it had committed to
 * - `request-wrong`: the client's pairing request could not be opened, or has the keys of another client
 * - `secret-reused`: the client did not replace the secret of its QR code or pairing code
 */
export type PasskeyFailure =
  | 'refused'
  | 'replaced'
  | 'disconnected'
  | 'commitment-wrong'
  | 'request-wrong'
  | 'secret-reused';

const messages: Readonly<Record<PasskeyFailure, string>> = {
  refused: 'the person refused to link the client',
  replaced: 'another code was scanned or typed',
  disconnected: 'the client closed its connection before it was linked',
  'commitment-wrong': 'the client committed to another nonce',
  'request-wrong': 'the pairing request cannot be opened, or is for another client',
  'secret-reused': 'the client did not make a new ADV secret',
};

/** A phone has ended a passkey ceremony without a linked client. */
export class PasskeyCeremonyError extends Error {
  override readonly name = 'PasskeyCeremonyError';
  readonly reason: PasskeyFailure;

  constructor(reason: PasskeyFailure) {
    super(messages[reason]);
    this.reason = reason;
  }
}

/** The person compared another code with the one that the phone shows. */
export class WrongPasskeyCodeError extends Error {
  override readonly name = 'WrongPasskeyCodeError';

  constructor() {
    super('The code is not the one that the phone shows');
  }
}

/** A phone was asked for something of a passkey ceremony, and it has none, or not at this stage. */
export class NoPasskeyCeremonyError extends Error {
  override readonly name = 'NoPasskeyCeremonyError';
}
