import { type Assertion, readAssertion } from '../assertion.js';
import { checkHelperLink, type HelperLink } from '../helper-link.js';
import { isFields } from '../json-fields.js';
import type { PasskeyView } from '../passkey-view.js';

/** One of the three calls that a helper link allows. */
export type ApiCall =
  | { readonly name: 'get' }
  | { readonly name: 'sign'; readonly assertion: Assertion }
  | { readonly name: 'confirm'; readonly matches: boolean };

/** What the panel asks of the relay. */
export interface RelayRequest {
  readonly link: HelperLink;
  readonly call: ApiCall;
}

/** How a call ended. `unreachable`: no answer, or not one of Wafleet's API; the call may have had its effect. */
export type CallOutcome =
  | { readonly kind: 'view'; readonly view: PasskeyView }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  | { readonly kind: 'unreachable' };

/** Checks a message to the relay. Undefined if it is not a request. */
export function readRelayRequest(message: unknown): RelayRequest | undefined {
  if (!isFields(message)) return undefined;
  const link = checkHelperLink(message.link);
  const call = readApiCall(message.call);
  return link === undefined || call === undefined ? undefined : { link, call };
}

function readApiCall(value: unknown): ApiCall | undefined {
  if (!isFields(value)) return undefined;
  const { name, matches } = value;
  if (name === 'get') return { name };
  if (name === 'confirm') return typeof matches === 'boolean' ? { name, matches } : undefined;
  const assertion = readAssertion(value.assertion);
  return name === 'sign' && assertion !== undefined ? { name, assertion } : undefined;
}
