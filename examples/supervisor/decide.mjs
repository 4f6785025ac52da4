// What is done about a miss. What is harmless is allowed, what is dangerous is killed; about the rest an operator is asked,
// who may not be there: then tracefp's own time-out and default decide (`onMissTimeout`, `onMissDefault`).

const BY_SEVERITY = { low: 'allow', critical: 'kill' }
export const DECISIONS = ['allow', 'deny', 'kill']

export class Decisions {
  #open = new Map()
  #count = 0

  /** For `onMiss`. The program waits in its call until this is settled. */
  onMiss = async (miss, { signal }) => {
    const known = BY_SEVERITY[miss.severity]
    if (known !== undefined) return known
    this.#count += 1
    const id = String(this.#count)
    try {
      return await new Promise((resolve, reject) => {
        this.#open.set(id, { miss, resolve })
        // Too late, or the program is gone: there is nothing left to decide.
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    } finally {
      this.#open.delete(id)
    }
  }

  /** Misses that wait for an operator. */
  list() {
    return [...this.#open].map(([id, { miss }]) => ({ id, ...miss }))
  }

  /** False: nobody waits for it (any more). */
  settle(id, decision) {
    const question = this.#open.get(id)
    question?.resolve(decision)
    return question !== undefined
  }
}
