import ActorCLI

@main
enum Reactord {
    static func main() async { await CommandLineTool.main() }
}
