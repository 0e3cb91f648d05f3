import { type Assertion, readAssertion } from '../assertion.js';
import { isFields, isText, type UncheckedFields } from '../json-fields.js';

/** What the panel asks of the signer. A new `sign` ends the one before. */
export type SignerRequest =
  | { readonly do: 'sign'; readonly number: number; readonly options: UncheckedFields }
  | { readonly do: 'cancel' };

/** What the signer answers to the `sign` of this number. `error` is the name of a DOMException or of an Error. */
export type SignerAnswer =
  | { readonly number: number; readonly assertion: Assertion }
  | { readonly number: number; readonly error: string };

const LONGEST_NAME = 100;

/** Checks what came through the port. Undefined if it is not a request. */
export function readSignerRequest(value: unknown): SignerRequest | undefined {
  if (!isFields(value)) return undefined;
  if (value.do === 'cancel') return { do: 'cancel' };
  const { number, options } = value;
  if (value.do !== 'sign' || typeof number !== 'number' || !isFields(options)) return undefined;
  return { do: 'sign', number, options };
}

/** Checks what came through the port. Undefined if it is not an answer. */
export function readSignerAnswer(value: unknown): SignerAnswer | undefined {
  if (!isFields(value) || typeof value.number !== 'number') return undefined;
  const { number, error } = value;
  if (isText(error, LONGEST_NAME)) return { number, error };
  const assertion = readAssertion(value.assertion);
  return assertion === undefined ? undefined : { number, assertion };
}
