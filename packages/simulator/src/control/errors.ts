import { NoPairingRequestError } from '../pairing-code/pairing-codes.js';
import { WrongPairingCodeError } from '../pairing-code/phone-side.js';
import {
  NoPasskeyCeremonyError,
  PasskeyCeremonyError,
  WrongPasskeyCodeError,
} from '../passkey/ceremony-error.js';
import { IqError } from '../protocol/iq-error.js';

/** HTTP status of each of the control API's error codes. */
const statuses = {
  INVALID: 400,
  NOT_FOUND: 404,
  NO_PAIRING_REQUEST: 409,
  NO_PASSKEY_CEREMONY: 409,
  REFUSED: 409,
  WRONG_PAIRING_CODE: 422,
  WRONG_PASSKEY_CODE: 422,
  FAILED: 500,
} as const;

/** `REFUSED`: the simulated WhatsApp refuses (no rights, already a member …); `FAILED`: any unexpected error. */
export type ControlErrorCode = keyof typeof statuses;

/** A request that the control API does not fulfil; answered as `{error: {code, message, details?}}`. */
export class ControlError extends Error {
  readonly code: ControlErrorCode;
  readonly details: unknown;

  constructor(code: ControlErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = 'ControlError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return statuses[this.code];
  }
}

/** Converts anything that a verb has thrown into an error of the control API. */
export function toControlError(error: unknown): ControlError {
  if (error instanceof ControlError) return error;
  if (error instanceof WrongPairingCodeError) return new ControlError('WRONG_PAIRING_CODE', error.message);
  if (error instanceof NoPairingRequestError) return new ControlError('NO_PAIRING_REQUEST', error.message);
  if (error instanceof WrongPasskeyCodeError) return new ControlError('WRONG_PASSKEY_CODE', error.message);
  if (error instanceof NoPasskeyCeremonyError) return new ControlError('NO_PASSKEY_CEREMONY', error.message);
  if (error instanceof PasskeyCeremonyError) {
    return new ControlError('REFUSED', error.message, { reason: error.reason });
  }
  if (error instanceof IqError) return new ControlError('REFUSED', error.message, { code: error.code });
  return new ControlError('FAILED', error instanceof Error ? error.message : String(error));
}
