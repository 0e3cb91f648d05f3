/** The files of a Baileys folder, by their names. */
export type Folder = Readonly<Record<string, string>>;

/** The records of a folder by the names that Baileys gives them, for which files have other characters. */
function recordsOf(folder: Folder): [name: string, value: unknown][] {
  return Object.entries(folder).map(([file, text]) => {
    const stem = file.replace(/\.json$/, '');
    return [originalName(stem), JSON.parse(text)];
  });
}

function originalName(stem: string): string {
  if (stem.startsWith('app-state-sync-key-')) return stem.replaceAll('__', '/');
  if (stem.startsWith('sender-key-memory-') || !stem.startsWith('sender-key-')) return stem;
  return stem.replace(/--([0-9_]+)--([0-9]+)$/, '::$1::$2');
}

/** JSON of a text that is JSON: how Evolution API writes rows and fields. */
function twice(value: unknown): string {
  return JSON.stringify(JSON.stringify(value));
}

/** Evolution API with Redis alone: `redis-cli --json hgetall` of the instance's hash. */
export function evolutionHash(folder: Folder): Record<string, string> {
  const fields = recordsOf(folder).map(([name, value]) => [name, twice(value)]);
  return { 'hash.json': JSON.stringify(Object.fromEntries(fields)) };
}

/** The same as older releases of `redis-cli` print it. */
export function evolutionLines(folder: Folder): Record<string, string> {
  const lines = recordsOf(folder).flatMap(([name, value]) => [name, twice(value)]);
  return { 'hash.txt': `${lines.join('\n')}\n` };
}

/** Evolution API with its database and files: the column `creds`, and a file for each other record. */
export function evolutionFiles(folder: Folder): Record<string, string> {
  const { 'creds.json': creds = '', ...others } = folder;
  return { 'creds.txt': `${JSON.stringify(creds)}\n`, ...others };
}

/** Evolution API with its database and Redis, as in its example: there the other records are JSON only once. */
export function evolutionMixed(folder: Folder): Record<string, string> {
  const { 'creds.json': creds = '', ...others } = folder;
  const fields = recordsOf(others).map(([name, value]) => [name, JSON.stringify(value)]);
  return {
    'creds.txt': `${JSON.stringify(creds)}\n`,
    'hash.json': `${JSON.stringify(Object.fromEntries(fields))}\n`,
  };
}

/** A folder of WAHA: that of Baileys with files of its own. */
export function wahaFolder(folder: Folder): Record<string, string> {
  return { ...folder, '.waha.session.config.json': '{"webhooks":[]}' };
}

/** WAHA's table `auth` in Postgres, as a list of its rows. */
export function wahaPostgres(folder: Folder): Record<string, string> {
  const rows = recordsOf(folder).map(([id, data]) => ({ id, data: JSON.stringify({ id, data }) }));
  return { 'auth.json': JSON.stringify(rows) };
}

/** WAHA's collection `auth` in MongoDB, as `mongoexport --jsonArray` prints it. */
export function wahaMongo(folder: Folder): Record<string, string> {
  const rows = recordsOf(folder).map(([name, data]) => ({
    key: name.replaceAll('.', '-'),
    data,
    type: 'kv',
  }));
  return { 'auth.json': JSON.stringify(rows) };
}

/** The folder as Baileys 6 would have written it: other sender keys, and nothing about LIDs. */
export function baileys6(folder: Folder): Record<string, string> {
  const later = /^(lid-mapping|device-list|tctoken|identity-key)-/;
  const pnOf = new Map<string, string>();
  for (const [file, text] of Object.entries(folder)) {
    const [, pn] = /^lid-mapping-(\d+)\.json$/.exec(file) ?? [];
    if (pn !== undefined) pnOf.set(JSON.parse(text), pn);
  }
  const entries = Object.entries(folder).flatMap(([file, text]): [string, string][] => {
    if (later.test(file)) return [];
    const [, lid = '', device] = /^session-(\d+)_1\.(\d+)\.json$/.exec(file) ?? [];
    const pn = pnOf.get(lid);
    if (pn !== undefined) return [[`session-${pn}.${device}.json`, text]];
    if (!file.startsWith('sender-key-') || file.startsWith('sender-key-memory-')) return [[file, text]];
    const { data } = JSON.parse(text);
    // A list whose bytes are base64, where Baileys 7 has bytes that are a list.
    const states = JSON.parse(Buffer.from(data, 'base64').toString(), (_name, value: unknown) =>
      isNodeBuffer(value) ? { type: 'Buffer', data: Buffer.from(value.data).toString('base64') } : value,
    );
    return [[file, JSON.stringify(states)]];
  });
  return Object.fromEntries(entries);
}

function isNodeBuffer(value: unknown): value is { readonly data: number[] } {
  return typeof value === 'object' && value !== null && 'data' in value && Array.isArray(value.data);
}
