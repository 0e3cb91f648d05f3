import { createHash } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';

/** The version of WhatsApp Web that a client reports, such as `2.3000.1043857760`; empty if it reports none. */
export function reportedVersion({ userAgent }: proto.IClientPayload): string {
  const { primary, secondary, tertiary } = userAgent?.appVersion ?? {};
  return [primary, secondary, tertiary].filter((part) => part != null).join('.');
}

/** Whether `buildHash` of a client that is to be linked belongs to the version that it reports. */
export function isBuildHashRight(payload: proto.IClientPayload): boolean {
  const { buildHash } = payload.devicePairingData ?? {};
  const expected = createHash('md5').update(reportedVersion(payload)).digest();
  return buildHash != null && expected.equals(buildHash);
}
