/**
 * Why a session begins no new chats. `refused`: WhatsApp refused messages, so the service waits by itself. `time-lock`:
 * WhatsApp said that it lets the account begin none.
 */
export const PAUSE_REASONS = ['refused', 'time-lock'] as const;

export type PauseReason = (typeof PAUSE_REASONS)[number];
