import { WafleetError } from '@wafleet/contract';
import { FencedError } from '@wafleet/store';

/** Why WhatsApp refuses requests, by error code; only codes with a known meaning. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'the message is malformed',
  401: 'the account may not write to the recipient',
  403: 'the account may not write to the recipient',
  404: 'the recipient does not exist',
  463: 'the account is restricted: it may not begin new chats',
  479: "the message's addressing is out of date",
  500: 'an error inside of WhatsApp',
};

type Details = Readonly<Record<string, unknown>>;

/** WHATSAPP_REFUSED, with WhatsApp's code and its meaning if known. */
export function whatsAppRefused(
  code: number,
  { details = {}, cause }: { details?: Details; cause?: unknown } = {},
): WafleetError {
  const reason = REFUSALS[code];
  const message = `WhatsApp refused the request with code ${code}${reason === undefined ? '' : `: ${reason}`}.`;
  return new WafleetError(
    'WHATSAPP_REFUSED',
    message,
    { code, ...(reason === undefined ? {} : { reason }), ...details },
    cause === undefined ? undefined : { cause },
  );
}

/**
 * Converts the error of a Baileys call into the error of a command. WafleetErrors are unchanged. A refusal by WhatsApp,
 * which Baileys keeps as `data`, becomes WHATSAPP_REFUSED. Any other error, such as a closed connection or a missing
 * answer, becomes `otherwise`. The original is kept as the cause, for the log.
 */
export function fromBaileys(
  error: unknown,
  { details, otherwise }: { details?: Details; otherwise: (cause: unknown) => WafleetError },
): Error {
  if (error instanceof WafleetError || error instanceof FencedError) return error;
  const code: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  if (typeof code !== 'number') return otherwise(error);
  return whatsAppRefused(code, { ...(details === undefined ? {} : { details }), cause: error });
}
