package shop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Orders and their delivery notes, for the warehouse terminals. */
@RestController
public class OrderController {
    private static final Logger LOG = LoggerFactory.getLogger(OrderController.class);
    private static final Path NOTES = Path.of("/srv/shop/notes");

    private final OrderRepository orders;

    public OrderController(OrderRepository orders) {
        this.orders = orders;
    }

    @GetMapping("/orders")
    public List<Map<String, Object>> orders(@RequestParam String customer) {
        return orders.ofCustomer(customer);
    }

    @GetMapping("/orders/safe")
    public List<Map<String, Object>> ordersSafely(@RequestParam String customer) {
        return orders.ofCustomerSafely(customer);
    }

    @GetMapping("/notes/{name}")
    public byte[] note(@PathVariable String name) throws IOException {
        return Files.readAllBytes(NOTES.resolve(name));
    }

    @GetMapping("/notes/{name}/safe")
    public byte[] noteSafely(@PathVariable String name) throws IOException {
        Path note = NOTES.resolve(name).normalize();
        if (!note.startsWith(NOTES)) {
            throw new IOException("no such note");
        }
        return Files.readAllBytes(note);
    }

    @GetMapping("/scanner")
    public void scanned(@RequestParam String terminal) {
        LOG.info("scan from terminal " + terminal);
    }

    @GetMapping("/scanner/safe")
    public void scannedSafely(@RequestParam String terminal) {
        LOG.info("scan from terminal " + terminal.replaceAll("[\r\n]", "_"));
    }
}
