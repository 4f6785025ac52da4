// A handler that is made when the first record comes: a log may turn out to hold several sessions, or none.

import { ForwardingHandler } from '../../model/forwarding-handler.ts'
import type { StreamHandler } from '../../model/stream.ts'

export class LateHandler extends ForwardingHandler {
  readonly #make: () => StreamHandler

  constructor(make: () => StreamHandler) {
    super()
    this.#make = make
  }

  protected override early(tell: (target: StreamHandler) => void): void {
    this.target = this.#make()
    tell(this.target)
  }
}
