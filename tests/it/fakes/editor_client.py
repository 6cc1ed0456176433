"""An editor, as far as a language server sees one: pygls' client.

Each line on stdin is a command in JSON, each line on stdout its answer:
  {"ask": METHOD, "params": {...}}    a request; its result, or {"error": code, "message": ...}
  {"tell": METHOD, "params": {...}}   a notification
  {"shown": URI, "version": N}        what is wrong with a file, once that is told of that version
                                      of it (or at all, without one)
  {"leave": true}                     shutdown, exit; how the server ended
Everything goes through the types of the protocol, so what does not fit it fails here.
"""

import asyncio
import json
import sys

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

PATIENCE = 30


async def main(command):
    client = LanguageClient("tests", "1")
    converter = client.protocol._converter
    shown, news = {}, asyncio.Event()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def publish(params):
        shown[params.uri] = params
        news.set()

    async def of_version(uri, version):
        while uri not in shown or (version is not None and shown[uri].version != version):
            news.clear()
            await news.wait()
        found = shown[uri]
        if version is None:
            del shown[uri]
        return converter.unstructure(found)

    def params_of(command, method):
        # The class of a method's parameters; a request's and a notification's are named alike.
        of_message = types.METHOD_TO_TYPES[method]
        params_type = of_message[2]
        return None if params_type is None else converter.structure(command["params"], params_type)

    async def answer(command):
        if method := command.get("ask"):
            result = await client.protocol.send_request_async(method, params_of(command, method))
            return converter.unstructure(result)
        if method := command.get("tell"):
            client.protocol.notify(method, params_of(command, method))
            return None
        if uri := command.get("shown"):
            return await of_version(uri, command.get("version"))
        await client.shutdown_async(None)
        client.exit(None)
        return await client._server.wait()

    await client.start_io(*command)
    for line in iter(lambda: sys.stdin.readline(), ""):
        command = json.loads(line)
        try:
            said = await asyncio.wait_for(answer(command), PATIENCE)
        except JsonRpcException as wrong:
            said = {"error": wrong.code, "message": wrong.message}
        print(json.dumps(said), flush=True)
        if "leave" in command:
            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
