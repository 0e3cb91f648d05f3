import { isAllowed, isToldOnce } from './allowed-places.js';
import { environmentSecrets, storedSecrets, toldSecrets } from './known-secrets.js';
import type { RunRecord } from './run-record.js';
import { type Secret, SecretIndex } from './secret-index.js';
import { type Source, sourcesOf } from './sources.js';
import { rawIn, type WrittenBytes, writtenForms } from './written-forms.js';

/** What a search looked for, where, and what it found. */
export interface SearchOutcome {
  /** How many different secrets were known. */
  readonly secrets: number;
  /** What they are. */
  readonly names: ReadonlySet<string>;
  /** Pre-keys that were not searched for, because there were too many. */
  readonly preKeysLeftOut: number;
  /** Sealed values that could not be opened. */
  readonly unreadable: number;
  /** Bytes that were searched, by where they were. */
  readonly bytes: Readonly<Record<Source['kind'], number>>;
  /** A sentence for each secret and each source in which it must not be. It never contains the value. */
  readonly findings: readonly string[];
}

const CONTEXT = 512;
const TOLD_CONTEXT = 80;
/** Text around a finding that may be a secret or a part of one. The report leaves it out. */
const LOOKS_SECRET = /[A-Za-z0-9+/_=-]{12,}|(?:[0-9a-f]{2} ){4,}|(?:\d+,\s*){4,}|[^\x20-\x7e]+/g;

/**
 * Searches everything that left the processes of a run for all secrets that they had.
 * @param noted secrets that the test itself made.
 */
export function searchForSecrets(run: RunRecord, noted: readonly Secret[] = []): SearchOutcome {
  const files = run.redisFiles();
  const stored = storedSecrets(
    files,
    run.processes.map(({ environment }) => environment),
  );
  const given = run.processes.flatMap(({ name, environment }) => [...environmentSecrets(name, environment)]);
  const reported = run
    .received()
    .flatMap((recording) => [...recording.parts()].flatMap(({ bytes }) => [...toldSecrets(bytes)]));
  const made = run.secretsMade.map(({ name, value }): Secret => {
    return { name, owner: '', kind: 'made-by-test', bytes: Buffer.from(value) };
  });
  const secrets = [...given, ...stored.secrets, ...reported, ...made, ...noted];
  const index = new SecretIndex(secrets);

  const bytes = { process: 0, client: 0, redis: 0 };
  const findings = new Findings();
  for (const source of sourcesOf(run, files)) {
    for (const part of source.parts()) bytes[source.kind] += part.bytes.length;
    const { pieces = [source] } = source;
    if (pieces.length > 1 && matchesIn(source, index).next().done === true) continue;
    for (const piece of pieces) {
      for (const match of matchesIn(piece, index)) findings.add(piece, match);
    }
  }
  return {
    secrets: index.size,
    names: new Set(secrets.map(({ name }) => name)),
    preKeysLeftOut: stored.leftOut,
    unreadable: stored.unreadable,
    bytes,
    findings: findings.reported(),
  };
}

interface Match {
  readonly secret: Secret;
  readonly form: WrittenBytes;
  /** Position in the form's bytes. */
  readonly at: number;
  /** Position of the read part in the source. */
  readonly offset: number;
}

function* matchesIn(source: Source, index: SecretIndex): Generator<Match> {
  for (const { bytes, offset } of source.parts()) {
    const forms = source.isSealed ? [rawIn(bytes, { form: 'raw', isVerbatim: true })] : writtenForms(bytes);
    for (const form of forms) {
      for (const { secret, at } of index.find(form.bytes)) yield { secret, form, at, offset };
    }
  }
}

class Findings {
  /** By secret and source. A finding names the first form and place; for a key that was shown again, the last place. */
  readonly #found = new Map<string, string>();
  /** The places where a secret was shown that may be shown only once. */
  readonly #tellings = new Map<string, Set<string>>();

  add(source: Source, { secret, form, at, offset }: Match): void {
    const text = form.text();
    const place = form.placeOf(at);
    const before = text.slice(Math.max(0, place - CONTEXT), place);
    const { kind, redis, name } = source;
    if (!isAllowed(secret.kind, redis === undefined ? { kind, before } : { kind, before, redis })) {
      const found = `${nameOf(secret)} in ${name}`;
      const context = JSON.stringify(before.slice(-TOLD_CONTEXT).replace(LOOKS_SECRET, '…'));
      const sentence = `${nameOf(secret)} stands as ${form.form} in ${name}, after ${context}`;
      this.#found.set(found, this.#found.get(found) ?? sentence);
    } else if (isToldOnce(secret.kind) && form.isVerbatim) {
      const value = secret.bytes.toString('latin1');
      const tellings = (this.#tellings.get(value) ?? new Set()).add(`${name} ${offset + place}`);
      this.#tellings.set(value, tellings);
      if (tellings.size === 1) return;
      this.#found.set(value, `${nameOf(secret)} was shown ${tellings.size} times, most recently in ${name}`);
    }
  }

  reported(): string[] {
    return [...this.#found.values()];
  }
}

function nameOf({ name, owner }: Secret): string {
  return owner === '' ? name : `${name} of ${owner}`;
}
