package shop;

import java.util.List;
import java.util.Map;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Repository;

/** Orders in the warehouse database. */
@Repository
public class OrderRepository {
    private final JdbcTemplate jdbc;

    public OrderRepository(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    List<Map<String, Object>> ofCustomer(String customer) {
        String query = "SELECT id, total FROM orders WHERE customer = '" + customer + "'";
        return jdbc.queryForList(query);
    }

    List<Map<String, Object>> ofCustomerSafely(String customer) {
        return jdbc.queryForList("SELECT id, total FROM orders WHERE customer = ?", customer);
    }
}
