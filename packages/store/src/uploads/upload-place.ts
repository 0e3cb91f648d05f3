import type { SessionRef } from '../redis/session-ref.js';

/** What the box with the file of an upload is for. It opens for no other session and no other upload. */
export function uploadPlace({ tenantId, sessionId }: SessionRef, uploadId: string): string {
  return `upload ${tenantId}/${sessionId}/${uploadId}`;
}
