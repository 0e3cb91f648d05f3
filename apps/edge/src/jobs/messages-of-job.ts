import {
  type CreateJobBody,
  JOB_LIMITS,
  type JobMessage,
  type JobRecipient,
  jobMessageSchema,
  WafleetError,
} from '@wafleet/contract';

const VARIABLE = /\{\{ *(\w{1,64}) *\}\}/g;

/**
 * The messages that a request asks for. A message for several recipients becomes one for each, with its variables.
 * @throws {WafleetError} VALIDATION_FAILED if a recipient lacks a variable, or a message becomes invalid or too large by
 * them.
 */
export function messagesOfJob({ messages, message, recipients = [] }: CreateJobBody): readonly JobMessage[] {
  if (messages !== undefined) return messages;
  let bytes = 0;
  return recipients.map((recipient, index) => {
    const { data, error } = jobMessageSchema.safeParse({
      ...fill(message, recipient, index),
      to: recipient.to,
    });
    if (data === undefined) {
      const [issue] = error.issues;
      throw invalid(index, `the message becomes invalid: ${issue?.path.join('.')} ${issue?.message}`);
    }
    bytes += Buffer.byteLength(JSON.stringify(data));
    if (bytes > JOB_LIMITS.bodyBytes) throw invalid(index, 'the messages become too large together');
    return data;
  });
}

function fill<T>(part: T, recipient: JobRecipient, index: number): T;
function fill(part: unknown, recipient: JobRecipient, index: number): unknown {
  if (typeof part === 'string') {
    return part.replaceAll(VARIABLE, (_all, name: string) => variableOf(name, recipient, index));
  }
  if (Array.isArray(part)) return part.map((each) => fill(each, recipient, index));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, fill(each, recipient, index)]));
}

function variableOf(name: string, { variables = {} }: JobRecipient, index: number): string {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (value === undefined) throw invalid(index, `has no variable ${name}`);
  return value;
}

function invalid(index: number, message: string): WafleetError {
  const path = `body.recipients.${index}`;
  return new WafleetError('VALIDATION_FAILED', `The body is not valid. ${path}: ${message}.`, {
    issues: [{ path, message }],
  });
}
