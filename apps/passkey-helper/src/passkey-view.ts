import { isFields, isText, type UncheckedFields } from './json-fields.js';

const STAGES = ['requested', 'signed', 'code-shown', 'confirmed', 'linked'] as const;

/** How far a passkey request has come, as the API says it. */
export interface PasskeyView {
  readonly stage: (typeof STAGES)[number];
  /** When the request ends, ms since 1970 by the clock of the API. */
  readonly expiresAt: number;
  /** The session's name or id. */
  readonly label?: string;
  /** `PublicKeyCredentialRequestOptionsJSON` as WhatsApp sent it. The signer checks it. */
  readonly options?: UncheckedFields;
  /** The code that the phone shows too, `XXXX-XXXX`. */
  readonly code?: string;
  /** Whether the link goes on without a comparison of the codes. */
  readonly isCodeOptional: boolean;
}

const LONGEST_LABEL = 200;
const CODE = /^[0-9A-Z]{4}-[0-9A-Z]{4}$/;

/** Reads an answer of the API. Undefined if it is anything else. */
export function readPasskeyView(answer: unknown): PasskeyView | undefined {
  if (!isFields(answer)) return undefined;
  const { expiresAt, label, options, code, isCodeOptional } = answer;
  const stage = STAGES.find((known) => known === answer.stage);
  const endsAt = isText(expiresAt, 64) ? Date.parse(expiresAt) : Number.NaN;
  if (stage === undefined || Number.isNaN(endsAt)) return undefined;
  if (stage === 'requested' && !isFields(options)) return undefined;
  const hasCode = typeof code === 'string' && CODE.test(code);
  if (stage === 'code-shown' && !hasCode) return undefined;
  return {
    stage,
    expiresAt: endsAt,
    ...(typeof label === 'string' && label !== '' ? { label: label.slice(0, LONGEST_LABEL) } : {}),
    ...(isFields(options) ? { options } : {}),
    ...(hasCode ? { code } : {}),
    isCodeOptional: isCodeOptional === true,
  };
}
