import { z } from 'zod';
import { StartError } from './start-error.js';

/**
 * How a variable is shown to people. `takes` says in words what values it takes; a `secret` value is never
 * printed.
 */
interface VariableNotes {
  readonly takes: string;
  readonly about: string;
  readonly secret?: boolean;
}

const notes = z.registry<VariableNotes>();

/** Adds what `--help` and error messages say of a variable. */
export function variable<S extends z.ZodType>(schema: S, about: VariableNotes): S {
  notes.add(schema, about);
  return schema;
}

export interface AppDescription<S extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  /** One field per environment variable, each made by `variable`. */
  readonly environment: S;
}

function notesOf(name: string, field: unknown): VariableNotes {
  const found = field instanceof z.ZodType ? notes.get(field) : undefined;
  if (found === undefined) throw new Error(`The environment variable ${name} has no notes.`);
  return found;
}

function defaultOf(field: unknown): string {
  if (!(field instanceof z.ZodType)) return '';
  const parsed = field.safeParse(undefined);
  if (!parsed.success) return 'required';
  if (parsed.data === undefined) return 'optional';
  return `default ${String(parsed.data) || 'none'}`;
}

/** The text of `--help`: every variable, what it takes, its default, what it is for. */
export function environmentHelp<S extends z.ZodObject>(app: AppDescription<S>): string {
  const variables = Object.entries(app.environment.shape).map(([name, field]) => {
    const { takes, about } = notesOf(name, field);
    return `  ${name}\n      ${about}\n      Takes ${takes} (${defaultOf(field)}).`;
  });
  return [
    `wafleet ${app.name}: ${app.description}`,
    '',
    'It is configured by environment variables only:',
    ...variables,
    '',
  ].join('\n');
}

/** What zod says of a check without a message. */
const NO_FINDING = z
  .string()
  .refine(() => false)
  .safeParse('').error?.issues[0]?.message;

/** What a field's own check found, besides that the value does not fit. It must not reveal a secret value. */
function findings(issues: readonly z.core.$ZodIssue[], name: string): string[] {
  return issues
    .filter(({ code, path, message }) => code === 'custom' && path[0] === name && message !== NO_FINDING)
    .map(({ message }) => message);
}

/**
 * Reads the environment by the schema. A variable set to the empty string counts as not set.
 * @throws {StartError} with one line per variable that is wrong: its name, the value it got, what it takes.
 */
export function parseEnvironment<S extends z.ZodObject>(
  app: AppDescription<S>,
  values: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const given = Object.fromEntries(
    Object.keys(app.environment.shape).map((name) => [name, values[name] === '' ? undefined : values[name]]),
  );
  const parsed = app.environment.safeParse(given);
  if (parsed.success) return parsed.data;

  const wrong = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
  const lines = wrong.map((name) => {
    const { takes, secret } = notesOf(name, app.environment.shape[name]);
    const value = given[name];
    const got =
      value === undefined
        ? 'is not set'
        : secret === true
          ? `has a value of ${value.length} characters (not shown)`
          : `is ${JSON.stringify(value)}`;
    return `${name} ${[got, ...findings(parsed.error.issues, name)].join(': ')}; it takes ${takes}.`;
  });
  throw new StartError(lines.join('\n'));
}

/** Reads this process' own environment; the one place that does. */
export function readEnvironment<S extends z.ZodObject>(app: AppDescription<S>): z.output<S> {
  return parseEnvironment(app, process.env);
}
