import ActorCore

/// The published state machine as an SVG picture; a job's way through it can be lit.
struct StateMachineDrawing {
    static let contentType = "image/svg+xml"

    /// A job's way: how often it entered each state by which event, and where it is.
    struct Walk {
        struct Step: Hashable {
            let from: PipelineJobState
            let event: PipelineJobEvent
        }

        let title: String
        let steps: Set<Step>
        let visited: Set<PipelineJobState>
        let current: PipelineJobState

        init(_ ledger: JobLedger) {
            var machine = PipelineJobMachine(edition: ledger.record.machine)
            var steps: Set<Step> = []
            var visited: Set<PipelineJobState> = [.created]
            for line in ledger.lines.dropFirst() where line.entry.refusal == nil {
                guard let event = PipelineJobEvent(named: line.entry.name) else { continue }
                let before = machine.state
                guard case .move(_, let next) = machine.handle(event) else { continue }
                steps.insert(Step(from: before, event: event))
                visited.insert(next)
            }
            self.title = "PipelineJob \(ledger.record.uuid): \(ledger.record.status.rawValue)"
            self.steps = steps
            self.visited = visited
            self.current = ledger.record.status
        }
    }

    let edition: PipelineJobMachine.Edition
    let walk: Walk?

    init(edition: PipelineJobMachine.Edition, walk: Walk? = nil) {
        self.edition = edition
        self.walk = walk
    }

    // MARK: Places

    private struct Point {
        let x: Double, y: Double
    }

    private static let size = (width: 1160, height: 640)
    private static let box = (width: 148.0, height: 52.0)

    /// The way of a good job from left to right; what goes wrong below it, what ends at the bottom.
    private static func place(of state: PipelineJobState) -> Point {
        switch state {
        case .created: Point(x: 100, y: 210)
        case .running: Point(x: 320, y: 210)
        case .finished: Point(x: 540, y: 210)
        case .validating: Point(x: 760, y: 210)
        case .validated: Point(x: 1040, y: 210)
        case .indexing: Point(x: 540, y: 70)
        case .failed: Point(x: 320, y: 400)
        case .rejected: Point(x: 760, y: 400)
        case .finalized: Point(x: 1040, y: 400)
        case .retired: Point(x: 540, y: 560)
        case .reset: Point(x: 100, y: 400)
        }
    }

    /// One arrow: everything that leads from one state to another.
    private struct Arrow {
        let from: PipelineJobState
        let to: PipelineJobState
        var events: [PipelineJobEvent]
    }

    /// Without loops, which are written into the box, and without `reset`, which leads from everywhere.
    private var arrows: [Arrow] {
        var arrows: [Arrow] = []
        for state in PipelineJobMachine.states(of: edition) {
            for event in PipelineJobMachine.events(from: state, edition) where event != .reset {
                guard let target = PipelineJobMachine.destination(of: event, from: state, edition), target != state
                else { continue }
                if let index = arrows.firstIndex(where: { $0.from == state && $0.to == target }) {
                    arrows[index].events.append(event)
                } else {
                    arrows.append(Arrow(from: state, to: target, events: [event]))
                }
            }
        }
        return arrows
    }

    private func loops(_ state: PipelineJobState) -> [PipelineJobEvent] {
        PipelineJobMachine.events(from: state, edition).filter {
            $0 != .reset && PipelineJobMachine.destination(of: $0, from: state, edition) == state
        }
    }

    // MARK: Drawing

    var svg: String {
        let title = walk?.title ?? "States and events of a PipelineJob (\(edition.rawValue))"
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.size.width) \(Self.size.height)" \
            role="img" aria-labelledby="title" font-family="system-ui, sans-serif">
            <title id="title">\(title)</title>
            \(Self.style)
            <rect class="ground" width="100%" height="100%"/>
            <text class="caption" x="24" y="34">\(title)</text>

            """
        // What is lit lies on top.
        let all = arrows
        for arrow in all where !isLit(arrow) { text += drawn(arrow) }
        for arrow in all where isLit(arrow) { text += drawn(arrow) }
        if PipelineJobMachine.transitions(of: edition)[.reset] != nil { text += resetArrow }
        for state in PipelineJobMachine.states(of: edition) { text += drawn(state) }
        return text + "</svg>\n"
    }

    private static let style = """
        <style>
        .ground { fill: #ffffff }
        .caption { font-size: 16px; fill: #1f2933; font-weight: 600 }
        .box { fill: #f5f7fa; stroke: #7b8794; stroke-width: 1.5 }
        .visited .box { fill: #e3f2fd; stroke: #1565c0; stroke-width: 2 }
        .current .box { fill: #1565c0; stroke: #0d3c78; stroke-width: 3 }
        .name { font-size: 14px; font-weight: 600; fill: #1f2933; text-anchor: middle }
        .loops { font-size: 10px; fill: #52606d; text-anchor: middle }
        .current .name, .current .loops { fill: #ffffff }
        .way { fill: none; stroke: #9aa5b1; stroke-width: 1.5; marker-end: url(#head) }
        .event { font-size: 12px; fill: #3e4c59; text-anchor: middle; paint-order: stroke; stroke: #ffffff; \
        stroke-width: 4px }
        .lit .way { stroke: #1565c0; stroke-width: 3; marker-end: url(#lit-head) }
        .lit .event { fill: #0d3c78; font-weight: 600 }
        .anywhere { stroke-dasharray: 5 4 }
        </style>
        <defs>
        <marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" \
        markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="#9aa5b1"/></marker>
        <marker id="lit-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="12" markerHeight="12" \
        markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L10 5L0 10z" fill="#1565c0"/></marker>
        </defs>
        """

    private func drawn(_ state: PipelineJobState) -> String {
        let place = Self.place(of: state)
        var classes = ["state"]
        if walk?.visited.contains(state) == true { classes.append("visited") }
        if walk?.current == state { classes.append("current") }
        let (left, top) = (place.x - Self.box.width / 2, place.y - Self.box.height / 2)
        let loops = loops(state).map(\.rawValue).joined(separator: " ")
        let line = loops.isEmpty ? place.y + 5 : place.y - 3
        var text = "<g class=\"\(classes.joined(separator: " "))\" data-state=\"\(state.rawValue)\">"
        text += "<rect class=\"box\" x=\"\(left)\" y=\"\(top)\" width=\"\(Self.box.width)\""
        text += " height=\"\(Self.box.height)\" rx=\"9\"/>"
        text += "<text class=\"name\" x=\"\(place.x)\" y=\"\(line)\">\(state.rawValue)</text>"
        if !loops.isEmpty {
            text += "<text class=\"loops\" x=\"\(place.x)\" y=\"\(place.y + 15)\">↻ \(loops)</text>"
        }
        return text + "</g>\n"
    }

    private func isLit(_ arrow: Arrow) -> Bool {
        arrow.events.contains { walk?.steps.contains(Walk.Step(from: arrow.from, event: $0)) == true }
    }

    private func drawn(_ arrow: Arrow) -> String {
        let (start, end) = (Self.place(of: arrow.from), Self.place(of: arrow.to))
        let hasReturn = arrows.contains { $0.from == arrow.to && $0.to == arrow.from }
        let bend = Self.bend(arrow.from, arrow.to, hasReturn: hasReturn)
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let length = (dx * dx + dy * dy).squareRoot()
        // The control point of a quadratic curve: beside the middle, by `bend`.
        let control = Point(
            x: (start.x + end.x) / 2 - dy / length * bend, y: (start.y + end.y) / 2 + dx / length * bend)
        let (from, to) = (Self.edge(of: start, towards: control), Self.edge(of: end, towards: control))
        let middle = Point(
            x: (from.x + 2 * control.x + to.x) / 4, y: (from.y + 2 * control.y + to.y) / 4)
        let names = arrow.events.map(\.rawValue).joined(separator: " ")
        return """
            <g class="arrow\(isLit(arrow) ? " lit" : "")" data-from="\(arrow.from.rawValue)" \
            data-to="\(arrow.to.rawValue)"><path class="way" d="M\(Self.text(from))Q\(Self.text(control)) \
            \(Self.text(to))"/><text class="event" x="\(Self.round(middle.x))" y="\(Self.round(middle.y + 4))">\
            \(names)</text></g>

            """
    }

    /// `reset` leads from every state: one arrow stands for all.
    private var resetArrow: String {
        let place = Self.place(of: .reset)
        let isLit = walk?.steps.contains { $0.event == .reset } == true
        let top = place.y + Self.box.height / 2
        return """
            <g class="arrow\(isLit ? " lit" : "")" data-to="RESET"><path class="way anywhere" \
            d="M\(place.x) \(top + 70)L\(place.x) \(top + 2)"/><text class="event" x="\(place.x)" y="\(top + 86)">\
            reset, from every state</text></g>

            """
    }

    /// How far an arrow swings out, to the right of its direction where positive; two that run both ways part.
    private static func bend(_ from: PipelineJobState, _ to: PipelineJobState, hasReturn: Bool) -> Double {
        switch (from, to) {
        case (.indexing, .finished), (.finished, .indexing): -70
        case (.indexing, .failed): 40
        case (.validating, .failed): 30
        case (.finalized, .retired): -60
        case (.validated, .retired): -150
        case (.validating, .retired): -35
        case (.rejected, .retired): 0
        case (.failed, .retired): 20
        default: hasReturn ? -28 : 0
        }
    }

    /// Where the line from the middle of a box to `target` leaves it.
    private static func edge(of center: Point, towards target: Point) -> Point {
        let (dx, dy) = (target.x - center.x, target.y - center.y)
        let (halfWidth, halfHeight) = (box.width / 2 + 2, box.height / 2 + 2)
        let scale = min(
            dx == 0 ? .infinity : halfWidth / abs(dx), dy == 0 ? .infinity : halfHeight / abs(dy))
        return Point(x: center.x + dx * scale, y: center.y + dy * scale)
    }

    private static func text(_ point: Point) -> String { "\(round(point.x)) \(round(point.y))" }
    private static func round(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
