/** How long WhatsApp takes a signature of the challenge for a passkey, ms. */
export const PASSKEY_CHALLENGE_MS = 600_000;

/** How long the phone, or the person who compares the codes, may take for one step of a link by passkey, ms. */
export const PASSKEY_STEP_MS = 120_000;

/**
 * How long a link by passkey may go on after its signature, ms. It has four steps: the phone goes on, WhatsApp takes the
 * answer to it, the codes are compared, and the phone completes the link.
 */
export const PASSKEY_AFTER_SIGNATURE_MS = 4 * PASSKEY_STEP_MS;
