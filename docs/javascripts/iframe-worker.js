// Search on a site that lies on a disk. Browsers start no workers there, so the worker's script runs
// in a hidden frame. The theme looks for the name IFrameWorker.
if (location.protocol === "file:") {
  class IFrameWorker extends EventTarget {
    constructor(url) {
      super()
      this.onmessage = null
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.window = frame.contentWindow
      this.ready = new Promise((resolve) => this.fill(frame.contentDocument, String(url), resolve))
    }

    fill(page, url, resolve) {
      page.open()
      page.write("<!doctype html><body></body>")
      page.close()
      this.window.postMessage = (data) => this.tell(data)
      this.window.importScripts = (...urls) => Promise.all(urls.map((one) => load(page, one)))
      load(page, url).then(resolve)
    }

    tell(data) {
      const told = new MessageEvent("message", { data })
      this.dispatchEvent(told)
      this.onmessage?.(told)
    }

    postMessage(data) {
      this.ready.then(() => this.window.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {
      this.window.frameElement?.remove()
    }
  }

  const load = (page, url) =>
    new Promise((resolve, reject) => {
      const script = page.createElement("script")
      script.src = url
      script.onload = resolve
      script.onerror = reject
      page.body.append(script)
    })

  window.IFrameWorker = IFrameWorker
  window.Worker = IFrameWorker
}
