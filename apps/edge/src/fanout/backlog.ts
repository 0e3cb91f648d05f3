/** What a client has not been sent yet. */
export interface Backlog {
  readonly bytes: number;
  readonly packets: number;
}
