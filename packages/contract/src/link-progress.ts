import { z } from 'zod';

interface LinkStepKind {
  /** What has happened, for docs/sessions.md. */
  readonly meaning: string;
  /** What the person who links the phone has to do now. */
  readonly next: string;
  /** Whether the phone or WhatsApp has taken part. Such a step removes the problem of an earlier attempt. */
  readonly isProgress: boolean;
}

/**
 * The steps of linking a session to a phone, in the order in which they come. An attempt leaves some of them out.
 * docs/sessions.md mirrors it; a test keeps them the same.
 */
export const LINK_STEPS = {
  waiting: {
    meaning: 'no code is shown: WhatsApp is asked for some, or the session rests',
    next: 'Wait for a code. If the session is closed, restart it first.',
    isProgress: false,
  },
  'qr-shown': {
    meaning: 'QR codes are shown, one after the other until `expiresAt`',
    next: 'Scan the QR code with WhatsApp on the phone, under Linked devices.',
    isProgress: false,
  },
  'code-shown': {
    meaning: 'a pairing code is shown',
    next: 'Type the pairing code into WhatsApp on the phone, under Linked devices.',
    isProgress: false,
  },
  scanned: {
    meaning: 'a phone has scanned the QR code, and WhatsApp has agreed to the link',
    next: 'Wait: the link is being stored.',
    isProgress: true,
  },
  'code-entered': {
    meaning: 'a pairing code was typed into the phone; whether it is the right one is being checked',
    next: 'Wait: the code is being checked.',
    isProgress: true,
  },
  'passkey-requested': {
    meaning: "WhatsApp asks for a signature with the account's passkey, until `expiresAt`",
    next: 'Sign with the passkey in a browser, and keep WhatsApp open on the phone.',
    isProgress: true,
  },
  'passkey-signed': {
    meaning: 'WhatsApp has accepted the signature, and the phone is to go on',
    next: 'Keep WhatsApp open on the phone, and follow what it shows.',
    isProgress: true,
  },
  'passkey-code-shown': {
    meaning: 'the session and the phone show a code, which is to be compared if the phone asks for it',
    next: 'Compare the code with the one on the phone, and confirm it on both sides.',
    isProgress: true,
  },
  confirmed: {
    meaning: 'the link is signed and stored, and the session logs in',
    next: 'Wait: the session logs in.',
    isProgress: true,
  },
  syncing: {
    meaning: 'the session is open, and the first part of the history still comes from the phone',
    next: 'Keep the phone online until the first chats have come.',
    isProgress: true,
  },
  open: {
    meaning: 'the link is complete. Shown in one `connection.update` only',
    next: 'Nothing: the session is linked.',
    isProgress: true,
  },
} as const satisfies Record<string, LinkStepKind>;

export type LinkStep = keyof typeof LINK_STEPS;

/** What can go wrong with an attempt to link. docs/sessions.md mirrors it; a test keeps them the same. */
export const LINK_PROBLEMS = {
  expired: 'the codes or the passkey ran out, or no phone was linked in time',
  refused: 'WhatsApp or the phone refused the link',
  'phone-timeout': 'the phone did not go on after the passkey had been used',
  'passkey-refused': 'WhatsApp refused the signature of the passkey',
  cancelled: 'a person ended the attempt, or the connection was lost',
} as const satisfies Record<string, string>;

export type LinkProblemCode = keyof typeof LINK_PROBLEMS;

const steps = Object.keys(LINK_STEPS) as [LinkStep, ...LinkStep[]];
const problemCodes = Object.keys(LINK_PROBLEMS) as [LinkProblemCode, ...LinkProblemCode[]];

/** How far linking a session to a phone has come. */
export const linkProgressSchema = z.object({
  step: z.enum(steps).describe('see [sessions.md](sessions.md)'),
  next: z.string().describe('what the person has to do now'),
  expiresAt: z.iso.datetime().optional().describe('when the step ends by itself'),
  problem: z
    .object({ code: z.enum(problemCodes), message: z.string() })
    .optional()
    .describe('what went wrong last, until the next step in which the phone takes part'),
});

export type LinkProgress = z.infer<typeof linkProgressSchema>;
