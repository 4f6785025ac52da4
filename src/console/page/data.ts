// What the server answers, as far as the page shows it. All texts are cleaned.

export interface SessionRow {
  readonly id: string
  readonly state: 'running' | 'ended' | 'lost'
  readonly name: string
  readonly program: string
  readonly host: string
  readonly uid: number
  readonly kind: string
  readonly engine: string | null
  readonly startedAt: string
  readonly endedAt: string | null
  readonly verdict: string | null
  readonly recordCount: number
  readonly missCount: number
  readonly gapCount: number
  readonly droppedCount: number
}

export interface AlertRow {
  readonly id: string
  readonly session: string
  readonly program: string
  readonly state: 'new' | 'acknowledged' | 'incident' | 'allowed'
  readonly severity: string
  readonly score: number
  readonly openedAt: string
  readonly updatedAt: string
  readonly missCount: number
  readonly suppressedCount: number
  readonly isTold: boolean
}

export interface Miss {
  readonly tid: number
  readonly tgid: number
  readonly ppid: number
  readonly ancestors: readonly string[]
  readonly image: string
  readonly at: string
  readonly from: string
  readonly to: string
  readonly severity: string
  readonly explanation: string
}

export interface SessionDetail extends SessionRow {
  readonly alerts: readonly AlertRow[]
  readonly report: {
    readonly misses: readonly Miss[]
    readonly notes: readonly { readonly code: string; readonly message: string }[]
    readonly programs: readonly {
      readonly image: string
      readonly fingerprint: string | null
      readonly recordCount: number
      readonly missCount: number
      readonly coverage: number
    }[]
  } | null
}

export interface AlertDetail extends AlertRow {
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly event: {
    readonly fingerprint: string | null
    readonly score: { readonly text: string }
    readonly confidence: string
    readonly misses: readonly Miss[]
  }
  readonly actions: readonly {
    readonly state: string
    readonly actor: string
    readonly via: string
    readonly at: string
    readonly note: string
  }[]
}

export interface Programs {
  readonly programs: readonly {
    readonly program: string
    readonly sessionCount: number
    readonly missCount: number
    readonly lastSession: string
    readonly fingerprints: readonly { readonly sha256: string; readonly sessionCount: number }[]
  }[]
  readonly fingerprints: readonly {
    readonly file: string
    readonly sha256: string
    readonly roots: readonly string[]
    readonly runCount: number
  }[]
}

export interface Rows<T> {
  readonly rows: readonly T[]
  readonly hasMore: boolean
}

export interface Changes {
  readonly sessions: readonly SessionRow[]
  readonly alerts: readonly AlertRow[]
  /** Too much to be told one by one. */
  readonly isMuch: boolean
}
