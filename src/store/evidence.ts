// Evidence of an abnormal session: what is needed to judge it again, in one file.

/** What a session leaves behind, beside its report. */
export interface Evidence {
  /** Captures, in the order of time: one of the whole session, or windows around misses. */
  readonly captures: readonly Uint8Array[]
  /** The one capture is of the whole session. */
  readonly isWhole: boolean
  /** Texts of the fingerprints that judged. */
  readonly fingerprints: readonly string[]
}
