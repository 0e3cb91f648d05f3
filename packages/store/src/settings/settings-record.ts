import {
  type Metadata,
  metadataSchema,
  proxySchema,
  type ReadSettings,
  readSettings,
  type ShownProxy,
} from '@wafleet/contract';
import { z } from 'zod';
import type { SessionRef } from '../redis/session-ref.js';
import { jsonOf } from '../redis/unreadable-records.js';

const plainSchema = z.record(z.string(), z.unknown());

/** What is stored of a session's settings in readable form. */
export interface PlainSettings {
  /** The fields as they are stored, those of later releases too: what a change begins with. */
  readonly stored: Readonly<Record<string, unknown>>;
  readonly settings: ReadSettings['settings'];
  readonly metadata: Metadata;
  /** What may be shown of the proxy. */
  readonly proxy: ShownProxy | undefined;
  /** The names of what this release cannot read. */
  readonly unreadable: readonly string[];
}

/** Reads the readable part of a record. Never throws: what this release does not understand has its default. */
export function readPlainSettings(text: string | undefined): PlainSettings {
  const { success, data: stored = {} } = plainSchema.safeParse(text === undefined ? {} : jsonOf(text));
  const { settings, unreadable } = readSettings(stored.settings);
  const metadata = metadataSchema.optional().safeParse(stored.metadata);
  const proxy = proxySchema.optional().safeParse(stored.proxy);
  return {
    stored,
    settings,
    metadata: metadata.data ?? {},
    proxy: proxy.data,
    unreadable: [
      ...(success ? [] : ['plain']),
      ...unreadable,
      ...(metadata.success ? [] : ['metadata']),
      ...(proxy.success ? [] : ['proxy']),
    ],
  };
}

/** What the sealed URL of the proxy is for. It opens for no other session. */
export function proxyPlace({ tenantId, sessionId }: SessionRef): string {
  return `proxy of session ${tenantId}/${sessionId}`;
}

/** The number of a stored version; 0 if there is none, or none that can be read. */
export function versionOf(text: string | null | undefined): number {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
