import { WafleetError } from '@wafleet/contract';
import { FencedError } from '@wafleet/store';

/** What WhatsApp's error codes mean; only codes with a known meaning. */
type Refusals = Readonly<Record<number, string>>;

/** Why WhatsApp refuses messages. */
const MESSAGE_REFUSALS: Refusals = {
  400: 'the message is malformed',
  401: 'the account may not write to the recipient',
  403: 'the account may not write to the recipient',
  404: 'the recipient does not exist',
  500: 'an error inside of WhatsApp',
};

/** Why WhatsApp refuses requests about people, chats and the account. */
export const REQUEST_REFUSALS: Refusals = {
  400: 'the request is malformed',
  401: 'the account may not do this',
  403: 'the account may not do this',
  404: 'it does not exist',
  406: 'the value is not acceptable',
  429: 'too many requests in a short time',
  500: 'an error inside of WhatsApp',
};

type Details = Readonly<Record<string, unknown>>;

/**
 * WHATSAPP_REFUSED, with WhatsApp's code and its meaning if known.
 * @param options.refusals meanings by code. Default: those of messages.
 */
export function whatsAppRefused(
  code: number,
  {
    details = {},
    refusals = MESSAGE_REFUSALS,
    cause,
  }: { details?: Details; refusals?: Refusals; cause?: unknown } = {},
): WafleetError {
  const reason = refusals[code];
  const message = `WhatsApp refused the request with code ${code}${reason === undefined ? '' : `: ${reason}`}.`;
  return new WafleetError(
    'WHATSAPP_REFUSED',
    message,
    { code, ...(reason === undefined ? {} : { reason }), ...details },
    cause === undefined ? undefined : { cause },
  );
}

/** WhatsApp's code, if a Baileys call was rejected because WhatsApp refused it: Baileys keeps it as `data`. */
export function refusalCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  return typeof code === 'number' ? code : undefined;
}

/**
 * Converts the error of a Baileys call into the error of a command. WafleetErrors are unchanged. A refusal by WhatsApp,
 * which Baileys keeps as `data`, becomes WHATSAPP_REFUSED. Any other error, such as a closed connection or a missing
 * answer, becomes `otherwise`. The original is kept as the cause, for the log.
 * @param options.refusals what the codes mean. Default: those of messages.
 */
export function fromBaileys(
  error: unknown,
  {
    details,
    refusals,
    otherwise,
  }: { details?: Details; refusals?: Refusals; otherwise: (cause: unknown) => WafleetError },
): Error {
  if (error instanceof WafleetError || error instanceof FencedError) return error;
  const code = refusalCode(error);
  if (code === undefined) return otherwise(error);
  return whatsAppRefused(code, {
    ...(details === undefined ? {} : { details }),
    ...(refusals === undefined ? {} : { refusals }),
    cause: error,
  });
}
