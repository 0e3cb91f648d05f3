import { z } from 'zod';

/** What a phone shows of a linked device beside its name: an icon. */
export const DEVICE_PLATFORMS = ['chrome', 'edge', 'firefox', 'opera', 'safari', 'desktop'] as const;

/** Largest number of chats that a session ignores one by one. */
export const MAX_IGNORED_CHATS = 500;

const chatIdSchema = z
  .string()
  .regex(
    /^[0-9]{5,20}(-[0-9]{5,20})?@(s\.whatsapp\.net|c\.us|lid|g\.us|newsletter|broadcast)$/,
    'must be the id of a chat, such as 15551234567@s.whatsapp.net',
  )
  .overwrite((id) => id.replace(/@c\.us$/, '@s.whatsapp.net'));

const deviceFields = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(50)
    .regex(/^[^\p{C}]*$/u, 'must not contain control characters')
    .describe('The name in the phone’s list of linked devices'),
  platform: z.enum(DEVICE_PLATFORMS).describe('The icon beside the name'),
};

const ignoreFields = {
  groups: z.boolean().describe('All groups'),
  statuses: z.boolean().describe('Statuses of other people'),
  channels: z.boolean().describe('All channels'),
  broadcasts: z.boolean().describe('Messages that come by a broadcast list'),
  chats: z
    .array(chatIdSchema)
    .max(MAX_IGNORED_CHATS)
    .describe('These chats, by their ids. A person counts under both ids, once the session knows the pair'),
};

const callsFields = {
  reject: z.enum(['none', 'direct', 'group', 'all']).describe('Which calls are rejected when they come'),
  message: z
    .string()
    .trim()
    .max(1000)
    .describe('What a rejected caller is sent, at most once an hour; nothing if empty. Never to a group'),
};

/** The longest pause before a message, ms. */
export const MAX_DELAY_MS = 5_000;

const delaySchema = z.number().int().min(0).max(MAX_DELAY_MS);

const pacingFields = {
  sendsPerMinute: z
    .number()
    .int()
    .min(0)
    .max(600)
    .describe('How many messages the session sends in any 60 seconds; 0: any number'),
  newChatsPerDay: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .describe('To how many people it writes first in any 24 hours; 0: any number'),
  warmUp: z
    .array(z.number().int().min(1).max(1000))
    .max(60)
    .describe('The same for the first days after linking, one number for each day'),
  minDelayMs: delaySchema.describe('The shortest pause before a message, ms'),
  maxDelayMs: delaySchema.describe('The longest pause before a message, ms. Each is chosen at random'),
  typing: z.boolean().describe('Whether a chat shows typing before a text, for longer the longer it is'),
  pauseAfter: z
    .number()
    .int()
    .min(0)
    .max(100)
    .describe('After how many refusals within an hour no new chats are begun for a while; 0: never'),
};

const plainFields = {
  history: z
    .enum(['none', 'recent', 'full'])
    .describe('How much of the past is published that the phone hands over after linking'),
  online: z
    .boolean()
    .describe('Whether the account shows as online. The phone gets no notifications meanwhile'),
  autoRead: z
    .boolean()
    .describe('Marks each message as read once its event is in the log, statuses excepted'),
  autoReadStatuses: z.boolean().describe('Marks each status as seen once its event is in the log'),
  lists: z
    .boolean()
    .describe('Keeps lists of the account’s chats and contacts. They are deleted when it is switched off'),
};

/** The settings of a session, all of them. docs/settings.md mirrors them; a test keeps them the same. */
export const sessionSettingsSchema = z.object({
  device: z.object(deviceFields),
  history: plainFields.history,
  ignore: z.object(ignoreFields),
  online: plainFields.online,
  autoRead: plainFields.autoRead,
  autoReadStatuses: plainFields.autoReadStatuses,
  calls: z.object(callsFields),
  pacing: z.object(pacingFields),
  lists: plainFields.lists,
});

export type SessionSettings = z.output<typeof sessionSettingsSchema>;

/** What a session does for which nothing else was set. */
export const DEFAULT_SETTINGS: SessionSettings = {
  device: { name: 'Mac OS', platform: 'chrome' },
  history: 'recent',
  ignore: { groups: false, statuses: false, channels: false, broadcasts: false, chats: [] },
  online: false,
  autoRead: false,
  autoReadStatuses: false,
  calls: { reject: 'none', message: '' },
  pacing: {
    sendsPerMinute: 0,
    newChatsPerDay: 0,
    warmUp: [],
    minDelayMs: 0,
    maxDelayMs: 0,
    typing: false,
    pauseAfter: 3,
  },
  lists: false,
};

type Changes<Fields extends z.ZodRawShape> = {
  [Name in keyof Fields]: z.ZodOptional<z.ZodNullable<Fields[Name] & z.ZodType>>;
};

/** A JSON merge patch (RFC 7396) of an object with these fields. */
function changesOf<Fields extends Readonly<Record<string, z.ZodType>>>(fields: Fields) {
  const entries = Object.entries(fields).map(([name, field]) => [name, field.nullable().optional()]);
  return z.strictObject(Object.fromEntries(entries) as Changes<Fields>);
}

/** A change of settings, as a JSON merge patch: what it does not name stays, and null restores the default. */
export const settingsChangeSchema = z.strictObject({
  ...changesOf(plainFields).shape,
  device: changesOf(deviceFields).nullable().optional(),
  ignore: changesOf(ignoreFields).nullable().optional(),
  calls: changesOf(callsFields).nullable().optional(),
  pacing: changesOf(pacingFields).nullable().optional(),
});

/** The settings that this release reads from stored ones, and the names of those that it cannot read. */
export interface ReadSettings {
  readonly settings: SessionSettings;
  readonly unreadable: readonly string[];
}

/**
 * Reads stored settings. Never throws: a setting that is missing, or that this release does not understand, has its
 * default, and fields that this release does not have are ignored.
 * @param stored what was set, in the form of `SessionSettings` with any of its fields missing.
 */
export function readSettings(stored: unknown): ReadSettings {
  const unreadable: string[] = [];
  const settings = readObject(sessionSettingsSchema, {
    stored,
    defaults: DEFAULT_SETTINGS,
    path: '',
    unreadable,
  });
  return { settings: sessionSettingsSchema.parse(settings), unreadable };
}

interface Reading {
  readonly stored: unknown;
  readonly defaults: object;
  readonly path: string;
  /** Where the names of unreadable fields are added. */
  readonly unreadable: string[];
}

function readObject({ shape }: z.ZodObject, { stored, defaults, path, unreadable }: Reading): object {
  const isObject = typeof stored === 'object' && stored !== null && !Array.isArray(stored);
  if (stored !== undefined && !isObject) unreadable.push(path || 'settings');
  const values = new Map<string, unknown>(isObject ? Object.entries(stored) : []);
  const fields = new Map<string, unknown>(Object.entries(defaults));
  for (const [name, schema] of Object.entries(shape)) {
    const value = values.get(name);
    const field = { stored: value, path: path === '' ? name : `${path}.${name}`, unreadable };
    const fallback = fields.get(name);
    if (schema instanceof z.ZodObject && typeof fallback === 'object' && fallback !== null) {
      fields.set(name, readObject(schema, { ...field, defaults: fallback }));
    } else if (value !== undefined) {
      const { success, data } = z.safeParse(schema, value);
      if (success) fields.set(name, data);
      else unreadable.push(field.path);
    }
  }
  return Object.fromEntries(fields);
}

/**
 * When a change takes effect. `now`: at once, or when the session is next opened if it is not running. `reconnect`: with
 * the session's next connection. `next-link`: when a phone links the session the next time.
 */
export const TAKES_EFFECT = ['now', 'reconnect', 'next-link'] as const;
export type TakesEffect = (typeof TAKES_EFFECT)[number];

const EFFECTS: Readonly<Record<keyof SessionSettings, TakesEffect>> = {
  device: 'next-link',
  // Phones hand the complete history over at linking, and only if it is asked for then.
  history: 'now',
  ignore: 'now',
  online: 'now',
  autoRead: 'now',
  autoReadStatuses: 'now',
  calls: 'now',
  pacing: 'now',
  lists: 'now',
};

export type SettingsGroup = keyof SessionSettings;

export const SETTINGS_GROUPS = Object.keys(EFFECTS) as SettingsGroup[];

/** When a change of this group to these settings takes effect. */
export function effectOf(group: SettingsGroup, next: Pick<SessionSettings, 'history'>): TakesEffect {
  return group === 'history' && next.history === 'full' ? 'next-link' : EFFECTS[group];
}

/** Bounds on what a client notes about a session. */
export const METADATA_LIMITS = { keys: 20, valueCharacters: 500, bytes: 4096 } as const;

const metadataKeySchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/, 'must be up to 40 letters, digits, "_", "." or "-"');
const metadataValueSchema = z.string().max(METADATA_LIMITS.valueCharacters);

/** What a client notes about a session. */
export const metadataSchema = z
  .record(metadataKeySchema, metadataValueSchema)
  .refine(
    (metadata) => Object.keys(metadata).length <= METADATA_LIMITS.keys,
    `must have at most ${METADATA_LIMITS.keys} keys`,
  )
  .refine(
    (metadata) => new TextEncoder().encode(JSON.stringify(metadata)).length <= METADATA_LIMITS.bytes,
    `must have at most ${METADATA_LIMITS.bytes} bytes as JSON`,
  );

/** A change of metadata: what it does not name stays, and null removes a key. */
export const metadataChangeSchema = z.record(metadataKeySchema, metadataValueSchema.nullable());

export type Metadata = z.output<typeof metadataSchema>;
