import { z } from 'zod';

/** What the child with sharp does with its picture. */
export interface SharpJob {
  /**
   * - `describe`: nothing is written.
   * - `link-thumbnail`: as `describe`, with a larger thumbnail.
   * - `image`: what WhatsApp does not show as a picture becomes JPEG, and other pictures lose their metadata.
   * - `frames`: an animation becomes JPEG pictures, one after the other, which FFmpeg reads.
   * - `sticker`: a picture or an animation becomes WebP.
   */
  kind: 'describe' | 'link-thumbnail' | 'image' | 'frames' | 'sticker';
  /** Of a frame. */
  maxPixels: number;
  maxFrames: number;
}

/** What it answers. Checked, since a child that a picture has taken over may answer anything. */
export const sharpAnswerSchema = z.union([
  z.object({
    width: z.int().positive(),
    height: z.int().positive(),
    frames: z.int().positive(),
    /** Base64, without content where no thumbnail is made. */
    thumbnail: z.base64(),
    /** Whether a file was written. Without one, the picture can be sent as it is. */
    isConverted: z.boolean(),
    /** Whether that file is of the format of the picture, without its metadata. */
    isSameFormat: z.boolean().optional(),
  }),
  z.object({
    refused: z.enum(['missing', 'unreadable', 'too-large', 'spool-full']),
    bound: z.enum(['pixels', 'frames', 'memory', 'bytes']).optional(),
  }),
]);

export type SharpAnswer = z.infer<typeof sharpAnswerSchema>;

export type SharpResult = Exclude<SharpAnswer, { refused: string }>;
